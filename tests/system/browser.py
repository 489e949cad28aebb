"""Debian's Chromium, as one person uses it: own profile, own passkeys.

Headless, driven through chromedriver. It trusts the certificate authorities
it is given, by their certificates in the profile's own store, and nothing is
ever ignored. Its passkeys live in a virtual authenticator that asks nobody,
so whatever a page wants signed is signed: what a page does with that is what
the tests look at.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from selenium import webdriver
from selenium.common.exceptions import (ElementClickInterceptedException,
                                        NoSuchElementException,
                                        StaleElementReferenceException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.virtual_authenticator import (
    Credential, VirtualAuthenticatorOptions)
from selenium.webdriver.support.select import Select

CHROMIUM = "/usr/lib/chromium/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"
# A loaded machine of two cores may take its time; waiting ends when it is there.
PATIENCE = 60
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--disable-default-apps", "--disable-extensions", "--window-size=1280,900",
    # With the program that drives it goes the browser, too.
    "--remote-debugging-pipe",
)
# Passkeys in the machine itself, by a finger that is always there.
AUTHENTICATOR = VirtualAuthenticatorOptions(
    protocol=VirtualAuthenticatorOptions.Protocol.CTAP2,
    transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
    has_resident_key=True, has_user_verification=True, is_user_verified=True,
    is_user_consenting=True)
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


class Impatient(AssertionError):
    """What was waited for did not come; says what the page showed."""


class Unreachable(AssertionError):
    """No page came, for a reason that stands in the text."""


def trust(home, authorities):
    """A store of certificates below home that holds just these."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    for at, authority in enumerate(authorities):
        subprocess.run([*certutil, "-A", "-n", f"ca{at}", "-t", "C,,", "-i",
                        str(authority)], check=True)


def children(pid):
    """Every process below pid."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children(int(child))]
    return found


class Browser:
    """One window of a Chromium of its own, until close().

    authorities  PEM files of the authorities it trusts
    names        {name: port of loopback}, for https://NAME/
    flags        more of Chromium's command line
    """

    def __init__(self, *authorities, names=None, flags=()):
        # A short path: sockets lie in it.
        self.home = Path(tempfile.mkdtemp(prefix="lockbox-browser-"))
        trust(self.home, authorities)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, *flags):
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={self.home / 'profile'}")
        options.add_argument("--lang=en-GB")
        if names:
            options.add_argument("--host-resolver-rules=" + ",".join(
                f"MAP {name}:443 127.0.0.1:{port}"
                for name, port in names.items()))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            options=options,
            service=Service(CHROMEDRIVER, env={
                "HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC",
                "LANG": "C.UTF-8", "TMPDIR": str(self.home)}))
        self.driver.set_script_timeout(PATIENCE)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.add_virtual_authenticator(AUTHENTICATOR)
        self.said = []

    def close(self):
        """Ends at once: nothing of it is wanted any more."""
        process = self.driver.service.process
        for each in [process.pid, *children(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)

    # --- going, looking, waiting ------------------------------------------

    def go(self, url):
        self.driver.get(url)
        if self.driver.execute_script("return document.documentURI").startswith(
                "chrome-error:"):
            raise Unreachable(self.driver.execute_script(
                "return document.body.textContent"))

    def until(self, what, probe, seconds=PATIENCE):
        """Poll until probe() is true; what it gave. A page may change under it."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(ElementClickInterceptedException,
                                     NoSuchElementException,
                                     StaleElementReferenceException):
                value = probe()
                if value:
                    return value
            if time.monotonic() > end:
                raise Impatient(f"waited for {what}; {self.driver.current_url} "
                                f"shows:\n{self.text()}\nconsole: "
                                + "\n".join(self.console()))
            time.sleep(0.05)

    def text(self):
        """What a person can read on the page."""
        return self.driver.execute_script("return document.body.innerText")

    def reads(self, *words):
        """Wait until the page shows all of these."""
        self.until(f"the words {words}",
                   lambda: all(word in self.text() for word in words))

    def find(self, css, within=None):
        return (within or self.driver).find_element(By.CSS_SELECTOR, css)

    def all(self, css, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, css)

    def see(self, css):
        """Wait for a visible element."""
        def visible():
            return next((x for x in self.all(css) if x.is_displayed()), None)
        return self.until(f"'{css}'", visible)

    def named(self, name, kinds="button, a, summary, [role=button]"):
        """Wait for what can be pressed and is called so."""
        def there():
            return next((x for x in self.all(kinds) if x.is_displayed() and
                         x.is_enabled() and x.accessible_name.strip() == name),
                        None)
        return self.until(f"'{name}' to press", there)

    def press(self, name):
        """Press the button or link that is called so, once it is there."""
        self.until(f"'{name}' to be pressed",
                   lambda: self._pressed(self.named(name)))

    def click(self, css):
        """Press that element, once it is there."""
        self.until(f"'{css}' to be pressed", lambda: self._pressed(self.see(css)))

    def _pressed(self, element):
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        return True

    def field(self, label):
        """Wait for the control with this label."""
        return self.named(label, "input, textarea, select")

    def type(self, *keys):
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, name):
        """Go on with the Tab key until what has the focus is called so."""
        for _ in range(100):
            self.type(Keys.TAB)
            if self.driver.switch_to.active_element.accessible_name == name:
                return
        raise Impatient(f"no Tab leads to '{name}':\n{self.text()}")

    def fill(self, label, value):
        field = self.field(label)
        field.clear()
        field.send_keys(value)

    def pick(self, label, value):
        """Choose from the list with this label, by the option's value."""
        Select(self.field(label)).select_by_value(value)

    def choose(self, name, value, chosen=True):
        """Set a radio button or a checkbox by its name and value."""
        def set_it():
            box = self.find(f"input[name='{name}'][value='{value}']")
            if box.is_selected() != chosen:
                self._pressed(box)
            return box.is_selected() == chosen
        self.until(f"{name} to be {value}", set_it)

    def run(self, script, *arguments):
        """The body of an async function in the page; what it returns. The
        page's policy holds for what it does; importing needs it to allow so.
        A failure is {"error": NAME, "message": …}."""
        return self.driver.execute_async_script(
            "const given = [...arguments], done = given.pop();"
            f"(async () => {{{script}}})().then(done, e =>"
            " done({error: e.name, message: e.message}))", *arguments)

    def console(self):
        """What the console said since the browser began, each once."""
        for entry in self.driver.get_log("browser"):
            if entry["message"] not in self.said:
                self.said.append(entry["message"])
        return self.said

    def quiet(self):
        """Whatever the page reads again by itself, it reads no more."""
        self.driver.execute_script(
            "Object.defineProperty(document, 'hidden', {value: true});"
            "Object.defineProperty(document, 'visibilityState',"
            " {value: 'hidden'});")

    def forget(self):
        """Forget what the console said."""
        self.console()
        self.said = []

    # --- passkeys -------------------------------------------------------------

    def passkeys(self):
        """RP-IDs of the passkeys that are here."""
        return [x.rp_id for x in self.driver.get_credentials()]

    def hold(self, key):
        """Have a papers.Passkey as if it had been made here."""
        private = key.private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())
        self.driver.add_credential(Credential.create_resident_credential(
            os.urandom(16), key.application, os.urandom(16), private, 0))

    def verifying(self, is_verified):
        """Whether the next finger is the right one."""
        self.driver.set_user_verified(is_verified)

    # --- how it looks ---------------------------------------------------------

    def dress(self, theme, size):
        """Show the page in a theme ("light", "dark") and one of SIZES."""
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": theme},
                         {"name": "prefers-reduced-motion", "value": "reduce"}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": size == "phone"})

    def picture(self, path):
        """The whole page, also what lies below the window, as a PNG."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "format": "png", "captureBeyondViewport": True})
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def axe(self, source, *rules):
        """What axe-core finds wrong, one line each. source: its script.
        rules: only these."""
        if not self.driver.execute_script("return 'axe' in window"):
            # Through the debugger: no policy of the page stands in its way.
            self.driver.execute_cdp_cmd("Runtime.evaluate",
                                        {"expression": source})
        found = self.run(
            "return JSON.stringify((await axe.run(document, {"
            "resultTypes: ['violations'], ...(given.length > 0 && {runOnly: "
            "{type: 'rule', values: given}})})).violations)", *rules)
        assert isinstance(found, str), found
        return [f"{x['id']} ({x['impact']}): {x['help']}: "
                + "; ".join(" ".join(map(str, n["target"])) for n in x["nodes"])
                for x in json.loads(found)]
