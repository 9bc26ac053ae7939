use serde_json::{Value, json};

use super::*;
use crate::secret::ValueFacts;
use crate::workload::Kind;

fn job(spec: &Value) -> Consumer {
    let object = json!({"metadata": {"name": "j", "namespace": "ns", "uid": "u"}, "spec": {"template": {"spec": spec}}});
    Consumer::of(Kind::named("job").unwrap(), &object, |_| true)
}

fn secret(name: &str, keys: &[&str]) -> Inspection {
    Inspection {
        namespace: "ns".to_owned(),
        name: name.to_owned(),
        secret_type: "Opaque".to_owned(),
        labels: BTreeMap::new(),
        keys: keys.iter().map(|key| ((*key).to_owned(), ValueFacts::default())).collect(),
        applied_values: false,
        history: crate::history::History::default(),
        noted: crate::metadata::Ends::default(),
        controller: None,
    }
}

fn view(consumers: Vec<Consumer>, secrets: Vec<Inspection>) -> View {
    let missing = referred(&consumers).into_iter().map(|place| (place, None));
    let there =
        secrets.into_iter().map(|secret| ((secret.namespace.clone(), secret.name.clone()), Some(secret)));
    let secrets = missing.collect::<Vec<_>>().into_iter().chain(there).collect();
    let elsewhere = BTreeMap::new();
    View {
        consumers,
        secrets,
        elsewhere,
        account_logins: BTreeMap::new(),
        made: Makers::default(),
        env_names: EnvNames::Classic,
        files: BTreeMap::new(),
        extent: Extent::Whole,
    }
}

fn shown(view: &View) -> Vec<String> {
    let line = |one: &Finding| {
        format!("{} {} {}: {}", one.severity.word(), one.code.word(), one.object, one.message)
    };
    view.findings(Horizon::new(None)).iter().map(line).collect()
}

fn env(name: &str, secret: &str, key: &str) -> Value {
    json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
}

#[test]
fn a_missing_secret_is_said_once_with_all_its_uses() {
    let env = json!([env("A", "s", "a"), env("B", "s", "b")]);
    let mut view = view(vec![job(&json!({"containers": [{"name": "main", "env": env}]}))], vec![]);
    assert_eq!(
        shown(&view),
        [
            "error missing-secret job.batch/j: needs secret s, which does not exist: env A in container main and env B in \
         container main"
        ]
    );
    assert_eq!(
        view.findings(Horizon::new(None))[0].remedy,
        "create it: kubectl runai-secret create s --from-file=a=PATH --from-file=b=PATH -n ns"
    );
    let pull = self::view(vec![job(&json!({"imagePullSecrets": [{"name": "reg"}]}))], vec![]);
    assert!(
        pull.findings(Horizon::new(None))[0]
            .remedy
            .starts_with("create it: kubectl runai-secret create docker-registry reg --docker-server")
    );
    view.elsewhere.insert("s".to_owned(), vec!["ns".to_owned(), "other".to_owned()]);
    assert!(
        view.findings(Horizon::new(None))[0].remedy.ends_with("the secret is in other: create it in ns too")
    );
}

#[test]
fn a_missing_key_is_answered_with_the_nearest() {
    let view = view(
        vec![job(&json!({"containers": [{"name": "main", "env": [env("A", "s", "tokne")]}]}))],
        vec![secret("s", &["token", "user"])],
    );
    assert_eq!(
        shown(&view),
        [
            "error missing-key job.batch/j: needs key tokne of secret s, which has no such key: env A in container main"
        ]
    );
    assert_eq!(
        view.findings(Horizon::new(None))[0].remedy,
        "did you mean token? the keys of s are: token and user"
    );
}

#[test]
fn what_may_be_missing_is_worse_than_nothing_only_where_something_is_lost() {
    let optional =
        json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": true}}});
    let containers = json!([{"name": "main", "env": [optional]}]);
    assert_eq!(shown(&view(vec![job(&json!({"containers": containers}))], vec![])), [""; 0]);
    let pull = view(vec![job(&json!({"imagePullSecrets": [{"name": "reg"}]}))], vec![]);
    assert_eq!(
        shown(&pull),
        ["warning missing-secret job.batch/j: needs secret reg, which does not exist: image pull"]
    );
}

#[test]
fn what_has_ended_fails_no_more() {
    let object = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {"imagePullSecrets": [{"name": "x"}]}}},
        "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
    let ended = Consumer::of(Kind::named("job").unwrap(), &object, |_| true);
    assert_eq!(shown(&view(vec![ended], vec![])), [""; 0]);
}

#[test]
fn what_was_not_seen_is_not_judged() {
    let mut view = view(vec![job(&json!({"imagePullSecrets": [{"name": "x"}]}))], vec![]);
    view.secrets.clear();
    assert_eq!(shown(&view), [""; 0]);
    view.secrets.insert(("ns".to_owned(), "idle".to_owned()), Some(secret("idle", &[])));
    assert_eq!(shown(&view), ["info unused-secret secret/idle: no workload uses it"]);
    view.extent = Extent::Part;
    assert_eq!(shown(&view), [""; 0]);
}

#[test]
fn names_of_variables_are_judged_by_the_rule_of_the_server() {
    let from = json!([{"secretRef": {"name": "s"}}]);
    let consumers = vec![job(&json!({"containers": [{"name": "main", "envFrom": from}]}))];
    let mut view = view(consumers, vec![secret("s", &["1st", "my.key", "OK"])]);
    assert_eq!(
        shown(&view),
        ["warning env-name job.batch/j: container main does not get 1st of secret s: no legal env name"]
    );
    let remedy = "kubectl runai-secret attach s job.batch/j --env VAR=KEY -n ns";
    assert!(
        view.findings(Horizon::new(None))[0].remedy.ends_with(remedy),
        "{}",
        view.findings(Horizon::new(None))[0].remedy
    );
    view.env_names = EnvNames::of_version(1, 34);
    assert_eq!(
        shown(&view),
        ["info env-name job.batch/j: no shell can read 1st and my.key of secret s in container main"]
    );
}

#[test]
fn of_two_variables_of_a_name_one_is_lost() {
    let from = json!([{"secretRef": {"name": "a"}}, {"secretRef": {"name": "b"}}, {"prefix": "P_", "secretRef": {"name": "b"}}]);
    let env = json!([{"name": "X", "value": "plain"}]);
    let containers =
        json!([{"name": "main", "envFrom": from, "env": env}, {"name": "side", "envFrom": [from[0]]}]);
    let view = view(
        vec![job(&json!({"containers": containers}))],
        vec![secret("a", &["K", "X"]), secret("b", &["K", "L"])],
    );
    assert_eq!(
        shown(&view),
        [
            "warning env-collision job.batch/j: secret b overwrites K of secret a in container main",
            "info env-collision job.batch/j: env of container main overrides X of secret a",
        ]
    );
}

#[test]
fn a_pod_that_is_stuck_has_the_reason_that_is_known() {
    let env = json!([env("A", "s", "k")]);
    let spec = json!({"containers": [{"name": "main", "env": env}]});
    let waiting = json!([{"name": "main", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]);
    let status = json!({"phase": "Pending", "containerStatuses": waiting});
    let object = json!({"metadata": {"name": "p", "namespace": "ns"}, "spec": spec, "status": status});
    let pod = || Consumer::of(Kind::named("pod").unwrap(), &object, |_| true);
    let missing = view(vec![pod()], vec![]);
    assert!(missing.findings(Horizon::new(None)).iter().any(|one| {
        one.code == Code::StuckPod && one.severity == Severity::Error && one.remedy.starts_with("create it")
    }));
    let there = view(vec![pod()], vec![secret("s", &["k"])]);
    assert_eq!(
        shown(&there),
        ["warning stuck-pod pod/p: container main can't be started: CreateContainerConfigError"]
    );
}

#[test]
fn a_newline_matters_most_where_it_becomes_a_variable() {
    let mut ended = secret("s", &["k"]);
    ended.keys.get_mut("k").unwrap().line_end = true;
    let used =
        view(vec![job(&json!({"containers": [{"name": "main", "env": [env("A", "s", "k")]}]}))], vec![ended]);
    assert_eq!(
        shown(&used),
        [
            "warning trailing-newline secret/s: the value of k ends with a newline, and is an env variable of job.batch/j"
        ]
    );
}

#[test]
fn a_secret_without_workload_is_not_unused_where_it_waits_for_some() {
    let mut credential = secret("c", &["User", "Password"]);
    credential.labels.insert("run.ai/resource".to_owned(), "password".to_owned());
    let mut shared = secret("shared", &[]);
    shared.labels.insert("run.ai/cluster-wide".to_owned(), "true".to_owned());
    let mut token = secret("token", &[]);
    token.secret_type = "kubernetes.io/service-account-token".to_owned();
    assert_eq!(shown(&view(vec![], vec![credential, shared, token])), [""; 0]);
}

#[test]
fn the_code_that_programs_read_is_the_one_that_is_typed() {
    for code in Code::ALL {
        assert_eq!(json!(code), code.word());
    }
}

#[test]
fn what_a_controller_writes_is_mended_where_the_controller_has_it_from() {
    let kept = |keys: &[&str]| {
        let mut kept = secret("s", keys);
        kept.controller = Some("ExternalSecret/s".to_owned());
        kept.keys.values_mut().for_each(|value| value.line_end = true);
        kept
    };
    assert_eq!(shown(&view(vec![], vec![kept(&["k"])])), [""; 0]);
    let user = job(&json!({"containers": [{"name": "main", "env": [env("A", "s", "k")]}]}));
    let findings = view(vec![user], vec![kept(&["k", "other"])]).findings(Horizon::new(None));
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(finding.code, Code::TrailingNewline);
    assert!(finding.remedy.starts_with("ExternalSecret/s writes this secret: "), "{}", finding.remedy);
}
