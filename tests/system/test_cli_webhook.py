"""lockbox webhook and lockbox delivery, as an approver and an operator use
them."""

import re

import pytest
from brokerd import TENANT, Brokerd
from office import ID, Office
from postbox import Receiver, until


@pytest.fixture(name="office", scope="module")
def fixture_office(build, tmp_path_factory):
    office = Office(build, tmp_path_factory.mktemp("office"),
                    webhook_private="yes")
    yield office
    office.broker.end()


@pytest.fixture(name="receiver")
def fixture_receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_from_add_to_rm(office, receiver):
    done = office.anna("webhook", "add", receiver.url, "--tenant", TENANT,
                       "--type", "request.pending_approval", "--type",
                       "request.created")
    hook = ID.search(done.stdout)[0]
    secret = re.search(r"whsec_\S+", done.stdout)[0]
    assert "shown this once" in done.stderr
    assert f"lockbox webhook test {hook}" in done.stderr
    assert hook in office.anna("webhook", "ls", "--tenant", TENANT).stdout
    shown = office.bert("webhook", "show", hook).stdout
    assert receiver.url in shown and "whsec_" not in shown
    assert "request.created, request.pending_approval" in shown

    assert "it arrived: status 204" in office.anna(
        "webhook", "test", hook).stdout
    assert receiver.calls[0].signed_by(secret)
    receiver.answers.append((500, {}, b""))
    done = office.anna("webhook", "test", hook, code=1)
    assert "it did not arrive: http_status, status 500" in done.stderr

    listed = office.olga("delivery", "ls", "--webhook", hook).stdout
    assert "webhook.test" in listed and "http_status 500" in listed
    [waiting] = office.olga.json("delivery", "ls", "--state", "waiting")
    assert waiting["receiver"] == hook and waiting["attempts"] >= 1
    assert "tried again" in office.olga("delivery", "retry",
                                        waiting["id"]).stdout
    until(lambda: not office.olga.json("delivery", "ls", "--state",
                                       "waiting"))

    done = office.anna("webhook", "rotate", hook)
    assert re.search(r"whsec_\S+", done.stdout)[0] != secret
    assert "old key until" in done.stdout
    assert "no" in office.anna("webhook", "set", hook, "--off").stdout
    office.anna("webhook", "test", hook, code=1)
    done = office.anna("webhook", "set", hook, "--on", "--all-types")
    assert re.search(r"types +all", done.stdout)
    office.anna("webhook", "rm", hook)
    assert hook not in office.anna("webhook", "ls", "--tenant",
                                   TENANT).stdout
    office.anna("webhook", "show", hook, code=1)


def test_deliveries_of_a_request(office, receiver):
    hook = office.anna.json("webhook", "add", receiver.url, "--tenant", TENANT,
                            "--scheme", "v1a")
    request = office.ask()
    receiver.wait(1)
    assert all(c.signed_by(hook["public_key"]) for c in receiver.calls)
    until(lambda: [d["type"] for d in office.anna.json(
        "delivery", "ls", "--request", request[:12], "--state", "sent")] == [
            "request.created"])
    assert "no deliveries" in office.anna(
        "delivery", "ls", "--state", "failed").stderr
    office.anna("webhook", "rm", hook["id"])


def test_what_is_wrong_is_said(office, receiver):
    for words, code, said in (
            (("webhook", "add", receiver.url), 2, "--tenant is needed"),
            (("webhook", "add", "--tenant", TENANT), 2, "missing"),
            (("webhook", "show", "nosuch"), 2, "no webhook's id"),
            (("webhook", "set", "0" * 26), 2, "nothing to change"),
            (("webhook", "set", "0" * 26, "--on", "--off"), 2, "exclude"),
            (("webhook", "show", "0" * 26), 1, "no such thing"),
            (("delivery", "retry", "x"), 2, "no delivery's id"),
            (("delivery", "retry", "0" * 26), 1, "no such thing"),
            (("webhook", "add", "ftp://x", "--tenant", TENANT), 1, "url"),
            (("delivery", "ls", "--state", "nosuch"), 1, "bad_query")):
        done = office.anna(*words, code=code)
        assert said in done.stderr, (words, done.stderr)
    done = office.avm("delivery", "ls", code=77)
    assert "role" in done.stderr


WRONG = [
    ("smtp = ftp://mail.example:25\nsmtp_from = a@b.example", "smtp://"),
    ("smtp = smtp://mail.example\nsmtp_from = a@b.example", "HOST:PORT"),
    ("smtp = smtp://mail.example:25/x\nsmtp_from = a@b.example", "HOST:PORT"),
    ("smtp = smtp://u:p@mail.example:25\nsmtp_from = a@b.example",
     "HOST:PORT"),
    ("smtp = smtp://mail.example:25", "smtp_from"),
    ("smtp = smtp://mail.example:25\nsmtp_from = a b@c.example", "smtp_from"),
    ("smtp_from = a@b.example", "smtp: missing"),
    ("smtp = smtp://mail.example:25\nsmtp_from = a@b.example\n"
     "smtp_tls = never", "loopback"),
    ("smtp = smtp://127.0.0.1.evil.example:25\nsmtp_from = a@b.example\n"
     "smtp_tls = never", "loopback"),
    ("smtp = smtps://127.0.0.1:25\nsmtp_from = a@b.example\n"
     "smtp_tls = never", "loopback"),
    ("smtp = smtp://mail.example:25\nsmtp_from = a@b.example\n"
     "smtp_tls = maybe", "required or never"),
    ("smtp = smtp://mail.example:25\nsmtp_from = a@b.example\n"
     "smtp_user = x", "belong together"),
    ("smtp = smtp://127.0.0.1:25\nsmtp_from = a@b.example\nsmtp_tls = never\n"
     "smtp_user = x\nsmtp_password_file = /x", "not without TLS"),
    ("webhook_private = maybe", "webhook_private"),
]


def test_mistyped_mail_stays_off(build):
    broker = Brokerd(build)
    broker.stop()
    try:
        good = broker.conf.read_text()
        broker.conf.write_text(good + "smtp = smtp://mail.example:25\n"
                               "smtp_from = a@b.example\n")
        broker.run("check", "-c", str(broker.conf))
        for lines, said in WRONG:
            broker.conf.write_text(f"{good}{lines}\n")
            done = broker.run("check", "-c", str(broker.conf), check=False)
            assert done.returncode == 78, lines
            assert said in done.stderr, (lines, done.stderr)
        # A password that others could read, or that is none.
        word = broker.dir / "word"
        broker.conf.write_text(
            good + "smtp = smtp://mail.example:25\nsmtp_from = a@b.example\n"
            f"smtp_user = x\nsmtp_password_file = {word}\n")
        for text, mode in (("secret\n", 0o644), ("", 0o600), ("a\tb\n", 0o600)):
            word.write_text(text)
            word.chmod(mode)
            done = broker.run("serve", "-c", str(broker.conf), check=False)
            assert done.returncode == 1 and "read password" in done.stderr
        word.write_text("secret\n")
        broker.start()
    finally:
        broker.end()
