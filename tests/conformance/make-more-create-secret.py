#!/usr/bin/env python3
"""Makes more-create-secret.json: what kubectl does with further command lines of `create secret`.

    python3 make-more-create-secret.py "$KUBEBUILDER_ASSETS/kubectl"

Needs openssl. The cases have the form of create-secret.json and are run in the same way. Where the plugin is meant to
differ from kubectl, a case says what it does instead and why.
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

KUBECTL = sys.argv[1]
JSON = ["--dry-run=client", "-o", "json"]
# What is longer is compared by its hash.
LONGEST = 300
MIXES = "sources mix freely"
EMPTY = "an empty secret needs --allow-empty; without it the command is refused"
TYPE = "the server would refuse it: the type needs other keys"
NAME = "an invalid name is refused before anything is sent or printed"
LINK = "a link in a folder is followed, as in a mounted secret volume"
REFUSED = {"ok": False}

CASES = []


def encoded(content):
    return base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def data(**values):
    return {"ok": True, "data": {key: encoded(value) for key, value in values.items()}, "name": "s"}


def case(name, *words, files=None, env=None, stdin="", ours=None, why=None, json_output=True):
    """`files`: a content, or a dict for what is no plain file; `ours`: what the plugin does, where kubectl does not."""
    group = {"docker": "docker-registry"}.get(name.split("/")[0], name.split("/")[0])
    listed = [
        {"name": path} | (content if isinstance(content, dict) else {"base64": encoded(content)})
        for path, content in (files or {}).items()
    ]
    made = {"name": name, "group": group, "args": ["create", group, *words, *(JSON if json_output else [])]}
    made |= {"env": env} if env else {}
    made |= {"stdin_base64": encoded(stdin)} if stdin else {}
    made |= {"files": listed} if listed else {}
    made |= {"deviation": why} if why else {}
    CASES.append((made, ours))


def literal(name, *literals, **more):
    case("generic/literal/" + name, "s", *("--from-literal=" + word for word in literals), **more)


def file(name, *entries, files=None, **more):
    case("generic/file/" + name, "s", *("--from-file=" + word for word in entries), files=files or {"a.txt": "from a file\n"}, **more)


def env_file(name, content, **more):
    case("generic/env-file/" + name, "s", "--from-env-file=e.env", files={"e.env": content}, **more)


def typed(name, secret_type, *literals, **more):
    case("generic/type/" + name, "s", "--type=" + secret_type, *("--from-literal=" + word for word in literals), **more)


def generic():
    one = "--from-literal=k=s3cret-v4lue"
    case("generic/arity/no-name", one)
    case("generic/arity/two-names", "s", "t", one)
    case("generic/arity/words-after-two-dashes", "s", one, *JSON, "--", "more", json_output=False)
    case("generic/arity/unknown-flag", "s", one, "--no-such-flag")
    case("generic/arity/flag-without-value", "s", "--from-literal", json_output=False)
    case("generic/arity/value-in-a-word-of-its-own", "s", "--from-literal", "k=s3cret-v4lue")
    for name, word in [
        ("upper-case", "Secret"), ("underscore", "a_secret"), ("trailing-dash", "a-"), ("trailing-dot", "a."),
        ("two-dots", "a..b"), ("slash", "a/b"), ("blank", "a b"), ("other-letters", "sécret"),
    ]:
        case("generic/name/" + name, word, one, ours=REFUSED, why=NAME)
    case("generic/name/253-chars", "a" * 253, one)
    case("generic/name/dots-and-digits", "1.a-b.2", one)
    literal("empty-value", "k=")
    literal("only-equals-sign", "=")
    literal("value-of-equals-signs", "k===")
    literal("newlines-in-value", "k=one line\nand another\n")
    literal("blanks-around-value", "k=  s3cret v4lue  ")
    literal("quotes-kept", "k=\"s3cret v4lue\"")
    literal("backslashes-kept", "k=a\\nb\\\\c")
    literal("other-letters-in-value", "k=naïve 🙂 值")
    literal("key-253", "k" * 253 + "=v")
    literal("key-of-digits", "123=s3cret-v4lue")
    literal("key-three-dots", "...=s3cret-v4lue")
    literal("key-one-dot-then-dash", ".-=s3cret-v4lue")
    literal("key-with-newline", "a\nb=s3cret-v4lue")
    literal("key-with-tab", "a\tb=s3cret-v4lue")
    literal("key-plus", "a+b=s3cret-v4lue")
    literal("key-asterisk", "a*=s3cret-v4lue")
    literal("keys-differ-in-case", "k=one-value", "K=0ther-v4lue")
    literal("words-of-yaml", "a=true", "b=null", "c=1e3", "d=~")
    literal("second-without-equals-sign", "k=s3cret-v4lue", "hunter2-hunter2")
    literal("value-looks-like-a-flag", "k=--dry-run=none")
    literal("100000-bytes", "k=" + "x" * 100_000)

    file("relative-with-dot", "./a.txt")
    file("two-slashes", ".//a.txt")
    file("up-and-down", "sub/../a.txt", files={"a.txt": "from a file", "sub/b.txt": "b"})
    file("slash-after-a-file", "a.txt/")
    file("in-a-folder-with-equals-sign", "k=x=y/a.txt", files={"x=y/a.txt": "from a file"})
    file("key-with-slash", "a/b=a.txt")
    file("key-with-blank", "a b=a.txt")
    file("key-two-dots", "..=a.txt")
    file("only-equals-sign", "=")
    file("empty-argument", "", ours=REFUSED, why=EMPTY)
    file("comma-alone", ",")
    file("comma-at-the-start", ",a.txt")
    file("two-commas", "a.txt,,k=a.txt")
    file("quoted-entry-with-key", '"k=a,b.txt"', files={"a,b.txt": "from a file"})
    file("quoted-and-plain-entries", '"k=a,b.txt",a.txt', files={"a,b.txt": "from a file", "a.txt": "that of b"})
    file("unclosed-quote", '"k=a.txt')
    file("same-file-two-keys", "k=a.txt", "l=a.txt")
    file("same-key-two-files", "k=a.txt", "k=b.txt", files={"a.txt": "from a file", "b.txt": "that of b"})
    file("other-letters-in-name", "é.txt", files={"é.txt": "from a file"})
    file("other-letters-in-name-with-key", "k=é.txt", files={"é.txt": "from a file"})
    file("name-with-colon", "a:b", files={"a:b": "from a file"})
    file("name-with-at-sign", "a@b", files={"a@b": "from a file"})
    file("name-with-two-dots-inside", "a..b", files={"a..b": "from a file"})
    file("name-with-a-dot-at-the-end", "a.", files={"a.": "from a file"})
    file("name-of-254", "n" * 254, files={"n" * 254: "from a file"})
    file("link-to-nothing", "k=l", files={"l": {"symlink": "nowhere"}})
    file("link-to-itself", "k=l", files={"l": {"symlink": "l"}})
    file("link-to-a-link", "l", files={"a.txt": "from a file", "m": {"symlink": "a.txt"}, "l": {"symlink": "m"}})
    file("nul-bytes", "a.bin", files={"a.bin": b"a\0b\0\0"})
    file("invalid-utf8", "a.bin", files={"a.bin": b"\xff\xfe\x80"})
    file("only-a-newline", "a.txt", files={"a.txt": "\n"})
    file("pem-with-several-lines", "a.pem", files={"a.pem": "-----BEGIN X-----\nQUJD\n-----END X-----\n"})
    file("just-a-mebibyte", "a.bin", files={"a.bin": {"repeat": {"prefix_base64": "", "unit_base64": encoded("x" * 1024), "count": 1024, "suffix_base64": ""}}})
    file("standard-input-twice-by-its-device", "a=/dev/stdin", "b=/dev/stdin", stdin="from a pipe", ours=REFUSED, why="standard input can be read only once; kubectl finds it empty the second time")
    file("empty-standard-input", "k=/dev/stdin")
    file("binary-standard-input", "k=/dev/stdin", stdin=b"\0\xff\n")

    case("generic/dir/files-in-order", "s", "--from-file=d", files={"d/b": "of b", "d/a": "of a", "d/C": "of C"})
    case("generic/dir/hidden-file", "s", "--from-file=d", files={"d/.env": "A=1", "d/a": "of a"})
    case("generic/dir/folder-in-folder-skipped", "s", "--from-file=d", files={"d/a": "of a", "d/sub/b": "of b"})
    case("generic/dir/empty-file", "s", "--from-file=d", files={"d/a": ""})
    case("generic/dir/link-to-file", "s", "--from-file=d", files={"d/a": "of a", "x": "of x", "d/l": {"symlink": "../x"}}, ours=data(a="of a", l="of x"), why=LINK)
    case("generic/dir/link-to-folder-skipped", "s", "--from-file=d", files={"d/a": "of a", "x/y": "of y", "d/l": {"symlink": "../x"}})
    case("generic/dir/link-to-nothing-skipped", "s", "--from-file=d", files={"d/a": "of a", "d/l": {"symlink": "nowhere"}})
    case("generic/dir/two-folders", "s", "--from-file=d", "--from-file=e", files={"d/a": "of a", "e/b": "of b"})
    case("generic/dir/folder-and-file-in-one-list", "s", "--from-file=d,k=x", files={"d/a": "of a", "x": "of x"})
    case("generic/dir/missing", "s", "--from-file=d/", files={"x": "of x"})
    case("generic/dir/parent", "s", "--from-file=d/..", files={"x": "of x", "d/a": "of a"})
    case("generic/dir/same-key-as-a-literal", "s", "--from-file=d", "--from-literal=a=s3cret-v4lue", files={"d/a": "of a"})
    case("generic/dir/name-with-blank", "s", "--from-file=d", files={"d/a b": "of a b"})

    env_file("tabs-and-blanks-before-key", "\t  A=s3cret v4lue\n")
    env_file("tab-in-value", "A=a\tvalue\t\n")
    env_file("value-starts-with-equals-sign", "A==s3cret v4lue\n")
    env_file("several-on-one-line", "A=1;B=2 C=3\n")
    env_file("comment-with-equals-sign", "# A=1\n#B=2\nC=s3cret v4lue\n")
    env_file("hash-alone", "#\nC=s3cret v4lue\n#")
    env_file("blank-before-equals-sign", "A =s3cret v4lue\n")
    env_file("tab-before-equals-sign", "A\t=s3cret v4lue\n")
    env_file("blank-line-of-crlf", "\r\nA=1\r\n\r\nB=2\r\n")
    env_file("key-alone-not-in-environment", "A=1\nNOT_SET\n", env={})
    env_file("key-alone-in-environment", "FROM_OUTSIDE\n", env={"FROM_OUTSIDE": "an outer value"})
    env_file("key-alone-of-other-letters-in-environment", "FROM_OUTSIDE\n", env={"FROM_OUTSIDE": "äußerer Wert 🙂"})
    env_file("export-key-alone", "export A\n")
    env_file("nul-in-value", b"A=a\0value\n")
    env_file("nul-in-key", b"A\0B=s3cret v4lue\n")
    env_file("invalid-utf8-in-value", b"A=1\nB=\xffsome value\n")
    env_file("no-break-space-before-key", "\u00a0A=s3cret v4lue\n")
    env_file("next-line-before-key", "\u0085A=s3cret v4lue\n")
    env_file("only-equals-sign", "A=1\n=\n")
    env_file("key-of-253", "K" * 253 + "=s3cret v4lue\n")
    env_file("key-with-slash", "a/b=s3cret v4lue\n")
    env_file("key-with-two-dots-first", "..a=s3cret v4lue\n")
    env_file("key-in-quotes", "\"A\"=s3cret v4lue\n")
    env_file("json", "{\"A\": \"s3cret v4lue\"}\n")
    env_file("pem", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n")
    env_file("duplicate-with-other-blanks", "A=s3cret v4lue\n A=s3cret v4lue\n")
    env_file("byte-order-mark-twice", "\ufeff\ufeffA=s3cret v4lue\n")
    env_file("empty", "", ours=REFUSED, why=EMPTY)
    env_file("long-last-line-without-newline", "A=1\nB=" + "x" * 65_000)
    env_file("hundred-keys", "".join(f"K{n}=value {n}\n" for n in range(100)))
    both = {"a.env": "A=of a\n", "b.env": "B=of b\n"}
    case("generic/env-file/list", "s", "--from-env-file=a.env,b.env", files=both)
    case("generic/env-file/given-twice", "s", "--from-env-file=a.env", "--from-env-file=b.env", files=both)
    case("generic/env-file/duplicate-in-two-files", "s", "--from-env-file=a.env,c.env", files=both | {"c.env": "A=of c\n"})
    case("generic/env-file/empty-entry", "s", "--from-env-file=a.env,", files=both)
    case("generic/env-file/parent-is-a-file", "s", "--from-env-file=a.env/b", files=both)
    case("generic/mixed/env-file-and-literal", "s", "--from-env-file=a.env", "--from-literal=k=s3cret-v4lue", files=both, ours=data(A="of a", k="s3cret-v4lue"), why=MIXES)
    case("generic/mixed/env-file-and-file", "s", "--from-env-file=a.env", "--from-file=b.env", files=both, ours=data(A="of a", **{"b.env": "B=of b\n"}), why=MIXES)
    case("generic/mixed/literal-and-file-same-key", "s", "--from-literal=a.env=s3cret-v4lue", "--from-file=a.env", files=both)

    typed("opaque", "Opaque", "k=s3cret-v4lue")
    typed("helm", "helm.sh/release.v1", "release=s3cret-v4lue")
    typed("with-blank", "a type", "k=s3cret-v4lue")
    typed("tls-with-both-keys", "kubernetes.io/tls", "tls.crt=no pem", "tls.key=no pem")
    typed("basic-auth-with-password-only", "kubernetes.io/basic-auth", "password=s3cret-v4lue")
    typed("bootstrap-token", "bootstrap.kubernetes.io/token", "token-id=abcdef", "token-secret=0123456789abcdef")
    typed("dockercfg", "kubernetes.io/dockercfg", ".dockercfg={}")
    for name, secret_type, word in [
        ("tls-without-key", "kubernetes.io/tls", "tls.crt=s3cret-v4lue"),
        ("basic-auth-without-either", "kubernetes.io/basic-auth", "user=s3cret-v4lue"),
        ("ssh-auth-without-key", "kubernetes.io/ssh-auth", "id_rsa=s3cret-v4lue"),
        ("ssh-auth-with-empty-key", "kubernetes.io/ssh-auth", "ssh-privatekey="),
        ("dockercfg-no-json", "kubernetes.io/dockercfg", ".dockercfg=s3cret-v4lue"),
        ("dockerconfigjson-no-json", "kubernetes.io/dockerconfigjson", ".dockerconfigjson=s3cret-v4lue"),
        ("service-account-token-without-account", "kubernetes.io/service-account-token", "token=s3cret-v4lue"),
    ]:
        typed(name, secret_type, word, ours=REFUSED, why=TYPE)

    case("generic/hash/simple", "s", one, "--append-hash")
    case("generic/hash/equals-true", "s", one, "--append-hash=true")
    case("generic/hash/equals-false", "s", one, "--append-hash=false")
    case("generic/hash/equals-nonsense", "s", one, "--append-hash=perhaps")
    case("generic/hash/with-type", "s", one, "--type=a/b", "--append-hash")
    case("generic/hash/with-type-opaque", "s", one, "--type=Opaque", "--append-hash")
    case("generic/hash/several-keys", "s", one, "--from-literal=b=", "--from-literal=a=\u2028<&>", "--append-hash")
    case("generic/hash/with-namespace", "s", one, "--append-hash", "-n", "team-a")
    case("generic/hash/name-too-long-with-it", "a" * 250, one, "--append-hash", ours=REFUSED, why=NAME)
    case("generic/namespace/given", "s", one, "--namespace=team-a")
    case("generic/namespace/empty", "s", one, "--namespace=")
    case("generic/output/short-without-blank", "s", one, "--dry-run=client", "-ojson", json_output=False)
    case("generic/output/short-with-equals-sign", "s", one, "--dry-run=client", "-o=json", json_output=False)
    case("generic/output/empty", "s", one, "--dry-run=client", "--output=", json_output=False)
    case("generic/output/none", "s", one, "--dry-run=client", json_output=False)
    case("generic/output/wide", "s", one, "--dry-run=client", "-o", "wide", json_output=False)
    case("generic/dry-run/alone", "s", one, "--dry-run", "-o", "json", json_output=False)
    case("generic/dry-run/true", "s", one, "--dry-run=true", "-o", "json", json_output=False)
    case("generic/dry-run/in-a-word-of-its-own", "s", one, "--dry-run", "client", "-o", "json", json_output=False)
    case("generic/dry-run/empty", "s", one, "--dry-run=", "-o", "json", json_output=False)
    case("generic/dry-run/given-twice-last-wins", "s", one, "--dry-run=none", "--dry-run=client", "-o", "json", json_output=False)
    case("generic/validate/strict", "s", one, "--validate=strict")
    case("generic/validate/alone", "s", one, "--validate")
    case("generic/validate/nonsense", "s", one, "--validate=perhaps")
    case("generic/save-config/false", "s", one, "--save-config=false")


def docker():
    login = ["--docker-username=jane", "--docker-password=hunter2-hunter2"]
    config = '{"auths":{"ghcr.io":{"auth":"amFuZTpodW50ZXIyLWh1bnRlcjI="}}}'
    case("docker/all-flags", "s", "--docker-server=nvcr.io", *login, "--docker-email=jane@example.com")
    case("docker/flags-in-words-of-their-own", "s", "--docker-server", "nvcr.io", "--docker-username", "$oauthtoken", "--docker-password", "hunter2-hunter2")
    case("docker/empty-username", "s", "--docker-username=", "--docker-password=hunter2-hunter2")
    case("docker/empty-server", "s", "--docker-server=", *login)
    case("docker/no-name", *login)
    case("docker/two-names", "s", "t", *login)
    case("docker/username-with-colon", "s", "--docker-username=a:b", "--docker-password=hunter2-hunter2")
    case("docker/password-with-colons-and-blanks", "s", "--docker-username=jane", "--docker-password= a:b c ")
    case("docker/password-starts-with-dash", "s", "--docker-username=jane", "--docker-password=-hunter2-hunter2")
    case("docker/control-characters", "s", "--docker-username=jane", "--docker-password=a\tb\nc\x01d\x7fe\u2028f")
    case("docker/email-of-other-letters", "s", *login, "--docker-email=jané@example.com")
    case("docker/server-http", "s", "--docker-server=http://registry.local:5000", *login)
    case("docker/password-with-surrogate-pair", "s", "--docker-username=jane", "--docker-password=🙂🙂🙂🙂")
    case("docker/given-twice-last-wins", "s", *login, "--docker-password=0ther-v4lue")
    case("docker/append-hash-with-file", "s", "--from-file=config.json", "--append-hash", files={"config.json": config})
    case("docker/from-file", "s", "--from-file=config.json", files={"config.json": config})
    case("docker/from-file-hidden-name", "s", "--from-file=.dockerconfigjson", files={".dockerconfigjson": config})
    case("docker/from-file-with-blanks", "s", "--from-file=config.json", files={"config.json": "\n " + config + "\n"})
    case("docker/from-file-missing", "s", "--from-file=config.json")
    case("docker/from-file-folder", "s", "--from-file=d", files={"d/config.json": config})
    case("docker/from-file-no-json", "s", "--from-file=config.json", files={"config.json": "hunter2-hunter2"}, ours=REFUSED, why=TYPE)
    case("docker/from-file-empty", "s", "--from-file=config.json", files={"config.json": ""}, ours=REFUSED, why=TYPE)
    case("docker/from-file-array", "s", "--from-file=config.json", files={"config.json": "[]"}, ours=REFUSED, why=TYPE)


def tls():
    with tempfile.TemporaryDirectory() as folder:
        def openssl(*words):
            return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder).stdout

        def pair(*algorithm):
            openssl("genpkey", *algorithm, "-out", "key")
            openssl("req", "-x509", "-new", "-key", "key", "-subj", "/CN=example.test", "-days", "36500", "-out", "crt")
            return [pathlib.Path(folder, name).read_text() for name in ("crt", "key")]

        crt, key = pair("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        encrypted = openssl("pkcs8", "-topk8", "-in", "key", "-passout", "pass:hunter2-hunter2").decode()
        other_crt, other_key = pair("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        traditional = openssl("rsa", "-in", "key", "-traditional").decode()
        edwards = pair("-algorithm", "ED25519")

    def given(name, certificate, private, *words, **more):
        case("tls/" + name, "s", "--cert=tls.crt", "--key=tls.key", *words, files={"tls.crt": certificate, "tls.key": private}, **more)

    given("ed25519", *edwards)
    given("rsa-pkcs8", other_crt, other_key)
    given("rsa-traditional", other_crt, traditional)
    given("rsa-certificate-and-ec-key", other_crt, key)
    given("ec-certificate-and-rsa-key", crt, other_key)
    given("leaf-last", other_crt + crt, key)
    given("encrypted-pkcs8-key", crt, encrypted)
    given("certificate-before-the-key-in-its-file", crt, crt + key)
    given("text-after-the-certificate", crt + "and more\n", key)
    given("no-final-newline", crt.rstrip(), key.rstrip())
    given("byte-order-mark", "\ufeff" + crt, "\ufeff" + key)
    given("blanks-before-the-lines", "".join("  " + line + "\n" for line in crt.splitlines()), key)
    given("empty-certificate", "", key)
    given("empty-key", crt, "")
    given("certificate-cut-off", crt[: len(crt) // 2], key)
    given("key-cut-off", crt, key[: len(key) // 2])
    given("nonsense", "hunter2-hunter2", "hunter2-hunter2")
    given("two-keys", crt, key + other_key)
    given("two-keys-the-other-first", crt, other_key + key)
    given("second-certificate-broken", crt + other_crt.replace("MII", "X" * 3, 1), key)
    given("append-hash", crt, key, "--append-hash")
    case("tls/only-key", "s", "--key=tls.key", files={"tls.key": key})
    case("tls/missing-key-file", "s", "--cert=tls.crt", "--key=nowhere", files={"tls.crt": crt})
    case("tls/folder-as-certificate", "s", "--cert=.", "--key=tls.key", files={"tls.key": key})
    case("tls/no-name", "--cert=tls.crt", "--key=tls.key", files={"tls.crt": crt, "tls.key": key})


def make(file, folder):
    path = pathlib.Path(folder, file["name"])
    path.parent.mkdir(parents=True, exist_ok=True)
    if "base64" in file:
        path.write_bytes(base64.b64decode(file["base64"]))
    elif "symlink" in file:
        path.symlink_to(file["symlink"])
    else:
        repeat = {key: base64.b64decode(value) if key != "count" else value for key, value in file["repeat"].items()}
        path.write_bytes(repeat["prefix_base64"] + repeat["unit_base64"] * repeat["count"] + repeat["suffix_base64"])


def by_kubectl(made):
    with tempfile.TemporaryDirectory() as folder:
        for file in made.get("files", []):
            make(file, folder)
        env = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8"} | made.get("env", {})
        create, group, *rest = made["args"]
        run = subprocess.run(
            [KUBECTL, create, "secret", group, *rest], cwd=folder, env=env, capture_output=True,
            input=base64.b64decode(made.get("stdin_base64", "")),
        )
    if run.returncode:
        return {"ok": False}
    try:
        secret = json.loads(run.stdout)
    except json.JSONDecodeError:
        return {"ok": True}
    expected = {"ok": True, "data": {}, "name": secret["metadata"]["name"]}
    if "type" in secret:
        expected["type"] = secret["type"]
    for key, value in secret.get("data", {}).items():
        content = base64.b64decode(value)
        if len(content) > LONGEST:
            expected.setdefault("data_digest", {})[key] = {"len": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        else:
            expected["data"][key] = value
    return expected


def main():
    generic()
    docker()
    tls()
    for made, ours in CASES:
        expected = by_kubectl(made)
        if ours is not None and ours == expected:
            print(f"{made['name']}: says that ours differs, and it does not")
        made["expected"] = expected if ours is None else ours
    version = json.loads(subprocess.run([KUBECTL, "version", "--client", "-o", "json"], capture_output=True, check=True).stdout)
    version = version["clientVersion"]["gitVersion"]
    about = f"Made by make-more-create-secret.py with kubectl {version}. See create-secret.json for the form."
    text = json.dumps({"about": about, "cases": [made for made, _ in CASES]}, indent=1, ensure_ascii=False)
    pathlib.Path(__file__).with_name("more-create-secret.json").write_text(text + "\n")
    print(f"{len(CASES)} cases")


main()
