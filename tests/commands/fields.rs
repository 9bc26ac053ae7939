//! `-o jsonpath=…` and `-o custom-columns=…`, as kubectl has them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use support::sandbox::kubectl;
use support::{Outcome, Sandbox, World, scenario};

use crate::view;
use crate::workloads::create_deployment;

const TOKEN: &str = "hf_fields-of-a-secret";

const CREATE: [&str; 6] = [
    "generic",
    "hf",
    "--from-literal=HF_TOKEN=x",
    "--from-literal=tls.crt=y",
    "--from-literal=.dockerconfigjson=z",
    "--dry-run=client",
];

const DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{"run.ai/x":"1","app":"web"}},
"spec":{"replicas":3,"template":{"spec":{"containers":[
    {"name":"main","image":"a:1","env":[{"name":"A","value":"1"},{"name":"B","value":"x y"}],"ports":[{"containerPort":80},{"containerPort":443}]},
    {"name":"side","image":"b:2","env":[{"name":"Z","value":"é"}],"tty":true}]}}}}"#;

/// Templates over a Secret that both programs make without a cluster.
const OF_A_SECRET: [&str; 24] = [
    "{.metadata.name}",
    "{.metadata.name}{\"\\n\"}",
    "{.kind} {.apiVersion}",
    "{ .kind }",
    "{$.kind}",
    "{@.kind}",
    "{.data}",
    "{.data.HF_TOKEN}",
    "{.data.tls\\.crt}",
    "{.data['tls\\.crt']}",
    "{.data.\\.dockerconfigjson}",
    "{.data['HF_TOKEN','tls\\.crt']}",
    "{['kind','apiVersion']}",
    "{..name}",
    "{.nothing}",
    "a{.nothing.at.all}b",
    "{\"a\\tb\"}{'it'}",
    "{true}{5}",
    "{.kind}}",
    "{.metadata.name \"x\"}",
    "{range .nothing[*]}{.name}{end}.",
    "text {.kind}, text",
    "{.metadata.labels}",
    "{range .metadata}{.name}{end}",
];

/// Templates over a manifest, which kubectl prints without a cluster too.
const OF_A_DEPLOYMENT: [&str; 24] = [
    "{.spec.replicas}",
    "{.metadata.labels.run\\.ai/x}",
    "{.spec.template.spec.containers[*].name}",
    "{.spec.template.spec.containers[*]['name','image']}",
    "{.spec.template.spec.containers[0].name}",
    "{.spec.template.spec.containers[-1].name}",
    "{.spec.template.spec.containers[-1:].name}",
    "{.spec.template.spec.containers[1:].name}",
    "{.spec.template.spec.containers[:1].name}",
    "{.spec.template.spec.containers[::2].name}",
    "{.spec.template.spec.containers[0:0].name}",
    "{.spec.template.spec.containers[0,1].image}",
    "{.spec.template.spec.containers[0].ports}",
    "{.spec.template.spec.containers[0].ports[*].containerPort}",
    "{.spec.template.spec.containers[?(@.name==\"side\")].image}",
    "{.spec.template.spec.containers[?(@.name!='side')].image}",
    "{.spec.template.spec.containers[?(@.tty==true)].name}",
    "{.spec.template.spec.containers[?(@.tty)].name}",
    "{.spec.template.spec.containers[*].ports[?(@.containerPort>100)].containerPort}",
    "{.spec.template.spec.containers[*].ports[?(@.containerPort<=80)]}",
    "{..containerPort}",
    "{range .spec.template.spec.containers[*]}{.name}={.image};{range .env[*]}{.name},{end}{\"\\n\"}{end}",
    "{.spec.template.spec.containers[1].env[0].value}",
    "{range .spec.template.spec.containers[*]}[{.tty}]{end}",
];

#[test]
fn templates_find_what_kubectls_own_find() {
    if kubectl().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.file("web.json", DEPLOYMENT);
    let create = |template: &str| -> Vec<String> {
        ["create", "secret"]
            .into_iter()
            .chain(CREATE)
            .map(str::to_owned)
            .chain([format!("-ojsonpath={template}")])
            .collect()
    };
    for template in OF_A_SECRET {
        let theirs = sandbox.kubectl(create(template)).success().stdout;
        let ours = create(template).into_iter().filter(|word| word != "secret");
        assert_eq!(sandbox.run(ours).success().stdout, theirs, "{template}");
    }
    for template in OF_A_DEPLOYMENT {
        let form = format!("jsonpath={template}");
        let theirs =
            sandbox.kubectl(["label", "--local", "-f", "web.json", "a=b", "-o", &form]).success().stdout;
        let ours = sandbox.run(["detach", "nothing", "-f", "web.json", "-o", &form]).success();
        assert_eq!(ours.stdout, theirs, "{template}");
    }
}

/// kubectl prints the whole object, values and all, where a template has no meaning for it.
#[test]
fn a_template_without_meaning_for_the_object_shows_nothing_of_it() {
    let sandbox = Sandbox::new();
    for template in ["{.data[0]}", "{.data[?(@.a)]}", "{.kind[*:2]}", "{.data.HF_TOKEN[5]}"] {
        let words = ["create"].into_iter().chain(CREATE).chain(["-o"]).map(str::to_owned);
        let wrong = sandbox.run(words.chain([format!("jsonpath={template}")]));
        assert!(matches!(wrong.code, Some(1 | 2)) && wrong.stdout.is_empty(), "{wrong}");
        assert!(wrong.stderr.starts_with("error: ") && !wrong.stderr.contains("eA=="), "{wrong}");
    }
}

#[scenario]
fn a_malformed_template_ends_before_anything_is_read_or_written(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for (form, told) in [
        ("jsonpath={.secrets[*", "a [ has no closing ]"),
        ("jsonpath={.secrets", "a { has no closing }"),
        ("jsonpath={range .secrets[*]}{.name}", "a {range …} has no {end}"),
        ("jsonpath={secrets}", "as in {.secrets}"),
        ("jsonpath", "needs a template"),
        ("custom-columns=NAME", "columns are HEADER:PATH"),
        ("custom-columns", "needs columns"),
        ("go-template={{.x}}", "go-template is left out here; jsonpath=TEMPLATE finds the same fields"),
        ("jsonpath-file=f", "the shell reads the file: -o jsonpath=\"$(cat FILE)\""),
    ] {
        for line in [
            &["list"][..],
            &["usage"],
            &["check"],
            &["status", "--runai-namespace", &namespace],
            &["view", "s"],
            &["create", "s", "--from-literal=a=b"],
            &["delete", "s", "-y"],
        ] {
            let wrong = sandbox.run(line.iter().chain(&["-o", form])).fails_with(2);
            assert!(wrong.stderr.contains(told) && wrong.stdout.is_empty(), "{wrong}");
        }
    }
    assert!(world.requests().is_empty(), "{:?}", world.lines());
}

#[scenario]
fn every_command_that_prints_json_prints_fields_of_it(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "field-a", &[("k", TOKEN)]);
    world.create_secret(&namespace, "field-b", &[("k", TOKEN), ("l", TOKEN)]);
    create_deployment(world, &namespace, "web");
    let stdout = |line: &[&str], form: &str| {
        let outcome = sandbox.run(line.iter().copied().chain(["-n", &namespace, "-o", form]));
        outcome.never_shows(TOKEN.as_bytes());
        outcome.stdout
    };
    for (line, form, expected) in [
        (&["list"][..], "jsonpath={.secrets[*].name}", "field-a field-b"),
        (&["list"], "jsonpath={range .secrets[*]}{.name}:{.keys}{\"\\n\"}{end}", "field-a:1\nfield-b:2\n"),
        (&["list"], "jsonpath={.secrets[?(@.keys>1)].name}", "field-b"),
        (
            &["list"],
            "custom-columns=NAME:.name,N:.keys,BY:.expires",
            "NAME      N     BY\nfield-a   1     <none>\nfield-b   2     <none>\n",
        ),
        (&["list", "--no-headers"], "custom-columns=NAME:.name", "field-a\nfield-b\n"),
        (&["view", "field-b"], "jsonpath={.name} {.keys[*].key}", "field-b k l"),
        (&["view", "field-b"], "custom-columns=KEY:.key", "KEY\nk\nl\n"),
        (&["usage", "field-a"], "jsonpath={.secrets[0].name}", "field-a"),
        (
            &["check"],
            "jsonpath={.findings[?(@.code==\"unused-secret\")].object}",
            "secret/field-a secret/field-b",
        ),
        (&["diff", "field-a", "field-b"], "custom-columns=S:.state", "S\ndiffers\n"),
        (&["attach", "field-a", "deploy/web", "--env", "k"], "jsonpath={.metadata.name}", "web"),
        (&["set", "field-a", "--from-literal=k2=v"], "jsonpath={.metadata.name}", "field-a"),
        (&["unset", "field-a", "k2", "-y"], "custom-columns=NAME:.metadata.name", "NAME\nfield-a\n"),
        (&["create", "field-c", "--from-literal=a=b"], "jsonpath={.data.a}", "Yg=="),
        (&["delete", "field-c", "-y"], "jsonpath={.kind}", "Secret"),
    ] {
        assert_eq!(stdout(line, form), expected, "{line:?} {form}");
    }
}

#[scenario]
fn a_field_that_the_json_does_not_have_is_told_with_those_that_it_has(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "s", &[("k", "v")]);
    let kubectls =
        sandbox.run(["list", "-n", &namespace, "-o", "jsonpath={.items[*].metadata.name}"]).success();
    assert_eq!(kubectls.stdout, "");
    let told = "Warning: the JSON has no field \"items\"; its fields are: secrets and unseen\n";
    assert!(kubectls.stderr.contains(told), "{kubectls}");
    let columns = sandbox.run(["list", "-n", &namespace, "-o", "custom-columns=N:.metadata.name"]).success();
    assert_eq!(columns.stdout, "N\n<none>\n");
    assert!(
        columns.stderr.contains("no field \"metadata\"; its fields are: namespace, project, name,"),
        "{columns}"
    );
    // Values are no part of what is printed of a write.
    let set = sandbox
        .run(["set", "s", "--from-literal=k=w", "-n", &namespace, "-o", "jsonpath={.data.k}"])
        .success();
    assert!(set.stdout.is_empty() && set.stderr.contains("no field \"data\""), "{set}");
    assert_eq!(world.secret_value(&namespace, "s", "k").as_deref(), Some(&b"w"[..]));
}

#[scenario]
fn a_value_comes_by_kubectls_path_only_if_it_is_to_be_revealed(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let bytes = b"\xff\0";
    view::create(
        world,
        &namespace,
        "s",
        &[("HF_TOKEN", TOKEN.as_bytes()), ("tls.crt", b"a\tb\n"), ("bin", bytes)],
    );
    let view = |rest: &[&str]| -> Outcome { sandbox.run(["view", "s", "-n", &namespace].iter().chain(rest)) };
    for template in ["{.data.HF_TOKEN}", "{.data['HF_TOKEN']}", "{.data}"] {
        let hidden = view(&["-o", &format!("jsonpath={template}")]).fails_with(2);
        hidden.never_shows(TOKEN.as_bytes());
        let key = if template == "{.data}" { "KEY" } else { "HF_TOKEN" };
        let way = format!(
            "hint: for the value itself: kubectl runai-secret view s {key} --reveal -n {namespace}\n"
        );
        assert!(hidden.stderr.contains(&way), "{hidden}");
    }
    assert!(world.requests().is_empty(), "{:?}", world.lines());
    let encoded = |value: &[u8]| BASE64_STANDARD.encode(value);
    for (template, expected) in [
        ("{.data.HF_TOKEN}", encoded(TOKEN.as_bytes())),
        ("{.data.tls\\.crt}", encoded(b"a\tb\n")),
        ("{.data['tls.crt']}", encoded(b"a\tb\n")),
        ("{.data.bin}", encoded(bytes)),
    ] {
        let shown = view(&["--reveal", "-o", &format!("jsonpath={template}")]).success();
        assert_eq!(shown.stdout, expected, "{template}");
    }
    // Without kubectl's path it is the JSON of -o json: values as text.
    let texts =
        view(&["HF_TOKEN", "tls.crt", "--reveal", "-o", "jsonpath={.HF_TOKEN}={['tls.crt']}"]).success();
    assert_eq!(texts.stdout, format!("{TOKEN}=a\tb\n"));
    let no_text = view(&["--reveal", "-o", "jsonpath={.bin}"]).fails_with(1);
    assert!(no_text.stderr.contains("bin can't be in JSON: its value is not UTF-8"), "{no_text}");
    no_text.never_shows(TOKEN.as_bytes());
    let file = view(&["--reveal", "-o", "jsonpath={.data.HF_TOKEN}", "--export-file=token.b64"]).success();
    assert_eq!(file.stdout, "");
    assert_eq!(
        std::fs::read(sandbox.path().join("token.b64")).unwrap(),
        encoded(TOKEN.as_bytes()).as_bytes()
    );
    let absent = view(&["HF_TOKEN", "--reveal", "-o", "jsonpath={.type}"]).success();
    assert!(
        absent.stdout.is_empty() && absent.stderr.contains("no field \"type\"; its only one is HF_TOKEN"),
        "{absent}"
    );
}

#[scenario]
fn fields_of_a_hostile_name_do_nothing_to_a_terminal(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let hostile = "evil\u{1b}[2J\u{202e}";
    let secret = json!({"metadata": {"name": "s"}, "type": hostile, "stringData": {"k": "v"}});
    world.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret);
    let line = ["view", "s", "-n", &namespace, "-o", "jsonpath={.type}{\"\\n\"}"];
    assert_eq!(sandbox.run(line).success().stdout, format!("{hostile}\n"), "a program gets it as it is");
    let mut terminal = sandbox.in_terminal(line);
    terminal.expect("evil\\u{1b}[2J\\u{202e}");
    assert_eq!(terminal.wait().0, 0);
}
