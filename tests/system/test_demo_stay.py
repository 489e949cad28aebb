"""./dev demo --stay: what it prints works, for each person of the story."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
from browser import Browser
from conftest import TOP

from world import PEOPLE, wait_for


@pytest.fixture(scope="module")
def stay(build, tmp_path_factory):
    path = tmp_path_factory.mktemp("stay") / "said"
    with open(path, "wb") as out:
        demo = subprocess.Popen(
            ["/usr/bin/python3", "-B", TOP / "demo" / "story.py", "--build",
             build, "--stay"], stdout=out, stderr=subprocess.STDOUT)

    def said():
        text = path.read_text()
        assert demo.poll() is None, text
        return text if "Ctrl-C ends it" in text else None
    yield wait_for("the world", said, 120)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0


@pytest.fixture(scope="module")
def browser(stay):
    """What the printed command line starts."""
    trusted, = re.findall(r"--ignore-certificate-errors-spki-list=\S+", stay)
    browser = Browser(flags=[trusted])
    yield browser
    browser.close()


def test_one_command_makes_a_page_anybodys(stay, browser):
    portal, = re.findall(r"^ +(https://lockbox\.provider\S+)$", stay, re.M)[:1]
    commands = dict(re.findall(r"^  (\S+/portal (\w+)) CODE", stay, re.M))
    assert sorted(commands.values()) == sorted(PEOPLE)
    for command, name in commands.items():
        browser.go("about:blank")
        browser.go(portal)
        browser.click("#signin-code-show")
        code = browser.see("#signin-code").text
        subprocess.run([*command.split(), code], check=True, timeout=60,
                       capture_output=True)
        assert browser.see("#whoami").text == PEOPLE[name]
        if name == "anna":
            browser.reads("Waiting for you", "The nightly backup fails")
        browser.driver.delete_all_cookies()


def test_mail_lies_where_it_says(stay):
    directory, = re.findall(r"has sent lies in (\S+)$", stay, re.M)
    mails = wait_for("a mail", lambda: list(Path(directory).glob("*.eml")), 60)
    assert any(PEOPLE["anna"] in mail.read_text() for mail in mails)


def test_a_guest_makes_a_passkey(stay, browser):
    code, page = re.search(r"your invitation is\n\s+(\S+), at (\S+)",
                           stay).groups()
    browser.go(page)
    browser.fill("Your name at the broker", "mia@acme.example")
    browser.fill("Invitation code", code)
    browser.press("Make my passkey")
    browser.see("#key-code")
