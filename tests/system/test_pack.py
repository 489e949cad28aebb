"""The customer's own page is put together from modules: each form, each no."""

import importlib.util
import re
import subprocess

import pytest
from conftest import TOP

PACK = TOP / "broker" / "page" / "pack.py"
spec = importlib.util.spec_from_file_location("pack", PACK)
pack = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)

TEMPLATE = ("<meta content=\"@SCRIPT_HASH@ @STYLE_HASH@\"><style>@STYLE@</style>"
            "<script type=module>@SCRIPT@</script>")
GOOD = {
    "one.js": 'import { two as second, three } from "./two.js";\n'
              'import * as all from "./two.js";\n'
              "const hidden = 1;\n"
              "console.log(hidden + second() + three + all.three);\n",
    "two.js": "const hidden = 10;\nexport function two() { return hidden; }\n"
              "const other = 100;\nexport { other as three };\n"
              "export const four = 4;\nconst text = 'export nothing';\n"
              "export class Five {}\nexport async function six() {}\n",
    "seven.js": "export const four = 4, nothing = 5;\n",
}


def packed(tmp_path, template=TEMPLATE, style="a { b: c }", **files):
    for name, text in {**GOOD, **files}.items():
        (tmp_path / name.replace("_js", ".js")).write_text(text)
    (tmp_path / "page").write_text(template)
    (tmp_path / "style").write_text(style)
    page, modules = pack.pack(tmp_path / "page", tmp_path / "style",
                              tmp_path / "one.js")
    assert [path.name for path in modules] == ["two.js"]
    return page


def script_of(page):
    return re.search(r"<script type=module>(.*)</script>", page, re.S)[1]


def test_modules_keep_their_own_names_and_their_meaning(tmp_path):
    page = packed(tmp_path)
    done = subprocess.run(["node", "--input-type=module", "-"],
                          input=script_of(page), text=True, check=True,
                          capture_output=True)
    assert done.stdout == f"{1 + 10 + 100 + 100}\n"
    assert pack.source_hash(script_of(page)) in page
    assert pack.source_hash("a { b: c }") in page
    assert "@" not in page


def test_the_same_source_gives_the_same_bytes(tmp_path):
    assert packed(tmp_path) == packed(tmp_path)


@pytest.mark.parametrize("text, why", [
    ("export default 1;\n", "two.js:1: 'export' cannot be packed"),
    ("export let two = 1;\n", "'export' cannot be packed"),
    ('import two from "./one.js";\n', "'import' cannot be packed"),
    ('import { a } from "elsewhere";\n', "'import' cannot be packed"),
    ('import { a } from "./none.js";\n', "none.js: no such module"),
    ('import { a } from "./one.js";\n', "one.js: needs itself"),
    ('import { nothing } from "./seven.js";\n',
     "two.js: ./seven.js exports no 'nothing'"),
    ("const a = import('./x.js');\n", "'import(' cannot be packed"),
    ("const a = import.meta.url;\n", "'import.' cannot be packed"),
    ("await two;\n", "'await' cannot be packed"),
    ("const a = '</script>';\n", "'</script' cannot be packed"),
    ("const a = '<!--';\n", "'<!--' cannot be packed"),
])
def test_what_it_does_not_understand_it_refuses(tmp_path, text, why):
    assert packed(tmp_path)
    with pytest.raises(pack.Refused, match=re.escape(why)):
        packed(tmp_path, two_js=text)


def test_a_template_or_style_that_does_not_fit_is_refused(tmp_path):
    assert packed(tmp_path)
    with pytest.raises(pack.Refused, match="@STYLE@"):
        packed(tmp_path, template=TEMPLATE + "@STYLE@")
    with pytest.raises(pack.Refused, match="a style"):
        packed(tmp_path, style="</style>")
