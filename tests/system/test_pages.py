"""Every page, in both themes, on a phone and on a desk: axe-core finds nothing
wrong, nothing is cut off, and no policy was broken. With LOCKBOX_SCREENSHOTS
in the environment, pictures of all of them go there ("./dev screenshots")."""

import os
from pathlib import Path

import pytest
from browser import SIZES
from customer import Customer
from tour import Tour

WIDER = ("return document.documentElement.scrollWidth - "
         "document.documentElement.clientWidth")


@pytest.fixture(scope="module")
def tour(build):
    customer = Customer(build, passkeys=("anna",))
    tour = Tour(customer)
    yield tour
    tour.close()
    customer.close()


def test_every_page_is_for_everybody(tour, axe):
    pictures = os.environ.get("LOCKBOX_SCREENSHOTS")
    if pictures:
        Path(pictures).mkdir(parents=True, exist_ok=True)
    wrong, count = [], 0
    for name, browser in tour.stops():
        count += 1
        for theme in ("light", "dark"):
            for size in SIZES:
                browser.dress(theme, size)
                if browser.driver.execute_script(WIDER) > 0:
                    wrong.append(f"{name}, {size}: wider than the window")
                if pictures:
                    browser.picture(f"{pictures}/{name}-{size}-{theme}.png")
            # The other theme has other colours, and nothing else.
            rules = () if theme == "light" else ("color-contrast",)
            wrong += [f"{name}, {theme}: {x}" for x in browser.axe(axe, *rules)]
        wrong += [f"{name}: {x}" for x in browser.console()
                  if "Content Security Policy" in x or "TypeError" in x]
        browser.forget()
    assert not wrong, "\n" + "\n".join(wrong)
    assert count > 30
