#!/usr/bin/env python3
"""Makes dotenv.json: how python-dotenv and Node's dotenv read files with every construct of the format.

    python3 -m venv venv && venv/bin/pip install python-dotenv && npm install dotenv
    venv/bin/python make-dotenv.py

Interpolation is off in both: the plugin never expands `$`. Where it is meant to differ from one of them, a case says
what it reads ("ours", null for a refusal) and why.
"""

import base64
import importlib.metadata
import json
import logging
import pathlib
import subprocess
import tempfile

import dotenv

SAME = object()
REFUSED = None
GUESS = "what one of the two makes of it is a guess; it is refused"

# (name, content, what the plugin reads, why it differs)
CASES = [
    ("plain", "A=1\nB=two words\n", SAME, ""),
    ("no-newline-at-the-end", "A=1", SAME, ""),
    ("empty-file", "", SAME, ""),
    ("empty-value", "A=\nB=\n", SAME, ""),
    ("empty-quoted-values", "A=''\nB=\"\"\n", SAME, ""),
    ("blank-lines-and-comments", "\n# c\n   # indented\n\nA=1\n", SAME, ""),
    ("blanks-around-the-equals-sign", "A = 1\nB= 2\nC =3\n", SAME, ""),
    ("indented", "  A=1\n\tB=2\n", SAME, ""),
    ("trailing-blanks", "A=1   \nB=2\t\n", SAME, ""),
    ("export", "export A=1\nexport   B=2\n", SAME, ""),
    ("key-that-starts-with-export", "exported=1\n", SAME, ""),
    ("comment-after-a-value", "A=1 # c\nB='2' # c\nC=\"3\" # c\nD=4\t# c\n", SAME, ""),
    ("comment-without-a-value", "A= # c\n", SAME, ""),
    ("hash-within-a-value", "A=b#c\n", {"A": "b#c"}, "a # without a blank before it is part of the value, as in a shell"),
    ("hash-right-after-the-equals-sign", "A=#b\n", {"A": "#b"}, "a # without a blank before it is part of the value, as in a shell"),
    ("hash-in-quotes", "A='b # c'\nB=\"b # c\"\n", SAME, ""),
    ("single-quotes", "A='b c'\nB='$d \"e\"'\n", SAME, ""),
    ("double-quotes", "A=\"b c\"\nB=\"it's\"\n", SAME, ""),
    ("blanks-in-quotes", "A='  b  '\nB=\"  c  \"\n", SAME, ""),
    ("newline-escape", "A=\"a\\nb\"\nB='a\\nb'\nC=a\\nb\n", SAME, ""),
    ("carriage-return-escape", "A=\"a\\rb\"\n", SAME, ""),
    ("tab-escape", "A=\"a\\tb\"\n", {"A": "a\tb"}, "between double quotes \\t is a tab"),
    ("rare-escapes", "A=\"a\\bb\\fc\\vd\\ae\"\n", {"A": "a\\bb\\fc\\vd\\ae"}, "\\a \\b \\f \\v are no escapes: C:\\bin stays what it is"),
    ("unknown-escape", "A=\"a\\wb\\.c\"\n", SAME, ""),
    ("backslash-escape", "A=\"a\\\\b\"\n", {"A": "a\\b"}, "between double quotes \\\\ is one backslash"),
    ("quote-escape", "A=\"a\\\"b\"\n", {"A": "a\"b"}, "between double quotes \\\" is a quote"),
    ("single-quote-escape-in-double-quotes", "A=\"a\\'b\"\n", {"A": "a'b"}, "between double quotes \\' is a quote"),
    ("dollar-escape", "A=\"a\\$b\"\n", {"A": "a$b"}, "between double quotes \\$ is a dollar sign, as in a shell"),
    ("backslashes-in-single-quotes", "A='C:\\dir\\file'\n", SAME, ""),
    ("two-backslashes-in-single-quotes", "A='a\\\\b'\n", {"A": "a\\\\b"}, "between single quotes nothing is special, as in a shell"),
    ("quote-escape-in-single-quotes", "A='a\\'b'\n", REFUSED, "between single quotes nothing is special, so the quote ends at \\' and more follows"),
    ("backslashes-without-quotes", "A=C:\\dir\\\\file\n", SAME, ""),
    ("several-lines-in-double-quotes", "A=\"a\nb\n\nc\"\nB=2\n", SAME, ""),
    ("several-lines-in-single-quotes", "A='a\nb\n'\nB=2\n", SAME, ""),
    ("pem", "KEY=\"-----BEGIN PRIVATE KEY-----\nMIGH=\nAA==\n-----END PRIVATE KEY-----\n\"\nB=2\n", SAME, ""),
    ("assignment-and-comment-within-a-value-of-several-lines", "A=\"a\nB=1\n# c\n\"\nC=3\n", SAME, ""),
    ("json-in-single-quotes", "A='{\"a\": \"b\", \"c\": [1, 2]}'\n", SAME, ""),
    ("quotes-within-a-plain-value", "A=it's\nB=b\"c\"d\n", SAME, ""),
    ("equals-signs-in-values", "A=b=c==\nB=\"d=e\"\n", SAME, ""),
    ("address", "URL=postgres://u:p@db:5432/x?sslmode=require&a=b\n", SAME, ""),
    ("dollar-signs", "A=$B\nC=${D}\nE=\"$F ${G:-h} $(id)\"\n", SAME, ""),
    ("crlf", "A=1\r\nB='2'\r\n# c\r\nC=\"3\" # c\r\n", SAME, ""),
    ("crlf-within-quotes", "A=\"a\r\nb\"\r\nB=2\r\n", SAME, ""),
    ("cr-alone", "A=1\rB=2\r", SAME, ""),
    ("byte-order-mark", "\ufeffA=1\nB=2\n", SAME, ""),
    ("other-letters", "A=naïve 🙂\nB='日本語'\n", SAME, ""),
    ("underscores-and-digits", "_A=1\nB_2=2\n", SAME, ""),
    ("dots-and-dashes-in-keys", "a.b=1\nc-d=2\n", SAME, ""),
    ("key-twice", "A=1\nA=2\n", REFUSED, "both take the last; a key twice is refused, as kubectl does"),
    ("key-alone", "A=1\nB\nC=3\n", REFUSED, "a line without '=' is refused, not passed over"),
    ("export-alone", "A=1\nexport B\n", REFUSED, "a line without '=' is refused, not passed over"),
    ("colon-instead-of-equals-sign", "A: 1\n", REFUSED, "only Node's dotenv reads KEY: value"),
    ("key-that-starts-with-a-digit", "1A=1\n", REFUSED, "keys are names of variables"),
    ("key-with-a-blank", "A B=1\n", REFUSED, "keys are names of variables"),
    ("key-in-quotes", "'A'=1\n", REFUSED, "keys are names of variables"),
    ("no-key", "=1\nA=2\n", REFUSED, "keys are names of variables"),
    ("quote-never-closed", "A=\"b\nB=2\n", REFUSED, GUESS),
    ("single-quote-never-closed", "A='b\nB=2\n", REFUSED, GUESS),
    ("more-after-the-closing-quote", "A=\"b\"c\nB=2\n", REFUSED, GUESS),
    ("two-quoted-parts", "A='b' 'c'\n", REFUSED, GUESS),
    ("comment-right-after-the-closing-quote", "A='b'#c\n", SAME, ""),
    ("backticks", "A=`b c`\n", REFUSED, "backticks are quotes to Node's dotenv only"),
    ("wide-blanks-around-a-value", "A=\u00a01\u3000\n", SAME, ""),
    ("quotes-after-a-blank", "A= 'b'\nB=\t\"c\"\n", SAME, ""),
    ("blanks-after-quotes", "A='b'   \nB=\"c\"\t\n", SAME, ""),
    ("only-blanks", "  \n\t\n", SAME, ""),
    ("only-a-comment", "# c", SAME, ""),
    ("comment-with-quotes", "# it's \"\nA=1\n", SAME, ""),
    ("quote-in-a-comment-after-a-value", "A=1 # it's\nB=2\n", SAME, ""),
    ("tab-after-export", "export\tA=1\n", SAME, ""),
    ("indented-export", "  export A='1'\n", SAME, ""),
    ("export-as-a-key", "export=1\n", SAME, ""),
    ("backslash-at-the-end-of-a-line", "A=b\\\nC=1\n", SAME, ""),
    ("backslash-at-the-end-of-a-line-in-double-quotes", "A=\"b\\\nc\"\n", SAME, ""),
    ("json-in-double-quotes", "A=\"{\\\"a\\\": 1}\"\n", {"A": "{\"a\": 1}"}, "between double quotes \\\" is a quote"),
    ("unicode-escape", "A=\"\\u00e9\"\n", SAME, ""),
    ("other-quote-kinds-within-quotes", "A='\"b\"'\nB=\"'c'\"\n", SAME, ""),
    ("blank-lines-in-quotes", "A='\n\n'\nB=1\n", SAME, ""),
    ("hash-at-the-start-of-a-line-in-quotes", "A='a\n#b'\nB=1\n", SAME, ""),
    ("value-of-quotes-only", "A=\"'\"\nB='\"'\n", SAME, ""),
    ("pem-with-escaped-newlines", "KEY=\"-----BEGIN X-----\\nQUJD\\n-----END X-----\\n\"\n", SAME, ""),
    ("semicolons-and-colons", "A=b;c:d\n", SAME, ""),
    ("long-value", "A=" + "x" * 100_000 + "\nB=2\n", SAME, ""),
]


def by_python(path):
    logging.disable(logging.WARNING)
    return dict(dotenv.dotenv_values(path, interpolate=False, encoding="utf-8"))


def by_node(path):
    program = "process.stdout.write(JSON.stringify(require('dotenv').parse(require('fs').readFileSync(process.argv[1]))))"
    return json.loads(subprocess.run(["node", "-e", program, path], check=True, capture_output=True).stdout)


def node_version():
    program = "process.stdout.write(require('dotenv/package.json').version)"
    return subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True).stdout


def main():
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder, ".env"))
        for name, content, ours, why in CASES:
            pathlib.Path(path).write_bytes(content.encode())
            python, node = by_python(path), by_node(path)
            case = {"name": name, "content_base64": base64.b64encode(content.encode()).decode(), "python-dotenv": python, "dotenv": node}
            if ours is not SAME:
                case |= {"ours": ours, "why": why}
            elif python != node:
                print(f"{name}: python-dotenv {python}, dotenv {node}"[:300])
            cases.append(case)
    made_by = {"python-dotenv": importlib.metadata.version("python-dotenv"), "dotenv": node_version()}
    text = json.dumps({"made_by": made_by, "cases": cases}, indent=1, ensure_ascii=True)
    pathlib.Path(__file__).with_name("dotenv.json").write_text(text + "\n")


main()
