//! Secrets: every verb, every refusal, every shape.

use serde_json::{Value, json};

use crate::both::*;

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn secrets_are_created_alike() {
    on_both(|both| {
        both.post(SECRETS, &named("s", &json!({"stringData": {"k": "v"}})));
        both.post(SECRETS, &named("s", &json!({"stringData": {"k": "v"}})));
        both.post("/api/v1/namespaces/nope/secrets", &named("s", &json!({})));
        both.post(
            SECRETS,
            &named(
                "labelled",
                &json!({"metadata": {"name": "l", "labels": {"a": "b"}, "annotations": {"c": "d"}}}),
            ),
        );
        both.post(SECRETS, &json!({"metadata": {"name": "o", "namespace": "other"}}));
        both.post(SECRETS, &json!({"metadata": {}}));
        both.post(SECRETS, &json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}));
        both.ask(JSON, &format!("POST {SECRETS}"), "junk");
        both.post(&format!("{SECRETS}?dryRun=All"), &named("dry", &json!({"data": {"a": "dg=="}})));
        both.post(&format!("{SECRETS}?dryRun=Some"), &named("dry", &json!({})));
        both.get(&format!("{SECRETS}/dry"));
        both.post(&format!("{SECRETS}?fieldManager=me"), &named("mine", &json!({"data": {"a": "dg=="}})));
        both.get(&format!("{SECRETS}/none"));
        both.ask(JSON, &format!("DELETE {SECRETS}/none"), "");
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn secrets_are_refused_alike() {
    on_both(|both| {
        for key in ["a b", "", "..x", ".", "..", "ä", &"k".repeat(254)] {
            both.post(SECRETS, &named("s", &json!({"data": {key: "dg=="}})));
        }
        for value in ["!!", "dg=", "d", "dGVzd"] {
            both.post(SECRETS, &named("s", &json!({"data": {"a": value}})));
        }
        for name in ["X_", "-a", "a.", &"n".repeat(254)] {
            both.post(SECRETS, &named(name, &json!({})));
        }
        for kind in
            ["tls", "dockerconfigjson", "dockercfg", "basic-auth", "ssh-auth", "service-account-token"]
        {
            let kind = format!("kubernetes.io/{kind}");
            both.post(SECRETS, &named("s", &json!({"type": kind, "data": {"a": "dg=="}})));
        }
        both.post(
            SECRETS,
            &named(
                "s",
                &json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "dg=="}}),
            ),
        );
        both.post(SECRETS, &named("s", &json!({"data": {"big": "AAAA".repeat(360_000)}})));
        for labels in [
            json!({"a b": "c"}),
            json!({"a": "c d"}),
            json!({"x/y/z": "s"}),
            json!({"X_/y": "s"}),
            json!({"a": "x".repeat(64)}),
        ] {
            both.post(SECRETS, &json!({"metadata": {"name": "s", "labels": labels}}));
        }
        both.post(SECRETS, &json!({"metadata": {"name": "s", "annotations": {"x/y/z": "s"}}}));
        for name in ["A_", &"n".repeat(64)] {
            both.post("/api/v1/namespaces", &named(name, &json!({})));
        }
        both.get("/api/v1/namespaces/@/widgets");
        both.get("/apis/apps/v1/widgets");
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn secrets_are_changed_alike() {
    on_both(|both| {
        let s = &format!("{SECRETS}/s");
        both.post(SECRETS, &named("s", &json!({"stringData": {"k": "v"}})));
        both.patch(MERGE, s, &json!({"metadata": {"labels": {"a": "b"}}}));
        both.patch(MERGE, &format!("{s}?fieldManager=two"), &json!({"data": {"k": "dw==", "z": "dg=="}}));
        both.patch(MERGE, s, &json!({"data": {"z": null}, "stringData": {"y": "1"}}));
        both.patch(MERGE, s, &json!({"metadata": {"resourceVersion": "1"}}));
        both.patch(MERGE, s, &json!({"metadata": {"name": "other"}}));
        both.patch(MERGE, s, &json!({"type": "foo"}));
        both.patch(MERGE, &format!("{SECRETS}/none"), &json!({}));
        both.patch(JSON, s, &json!({}));
        both.patch(JSON_PATCH, s, &json!([{"op": "test", "path": "/type", "value": "no"}]));
        both.patch(JSON_PATCH, s, &json!([{"op": "remove", "path": "/data/no"}]));
        both.patch(JSON_PATCH, s, &json!([{"op": "add", "path": "/data/j", "value": "dg=="}]));
        both.patch(STRATEGIC, s, &json!({"data": {"t": "dg=="}}));
        both.ask(JSON, &format!("PUT {SECRETS}/none"), &named("none", &json!({})).to_string());
        both.ask(
            JSON,
            &format!("PUT {s}"),
            &json!({"metadata": {"name": "s", "resourceVersion": "1"}}).to_string(),
        );
        both.ask(JSON, &format!("PUT {s}"), &named("t", &json!({})).to_string());
        both.ask(JSON, &format!("PUT {s}"), &named("s", &json!({"data": {"n": "dg=="}})).to_string());
        both.ask(
            JSON,
            &format!("PUT {s}?dryRun=All"),
            &named("s", &json!({"data": {"m": "dg=="}})).to_string(),
        );
        both.get(s);
        both.patch(MERGE, s, &json!({"immutable": true}));
        both.patch(MERGE, s, &json!({"immutable": false}));
        both.patch(MERGE, s, &json!({"data": {"a": "dg=="}}));
        both.patch(MERGE, s, &json!({"metadata": {"labels": {"a": "c"}}}));
        both.ask(JSON, &format!("DELETE {s}?dryRun=All"), "");
        both.ask(JSON, &format!("DELETE {s}"), &json!({"preconditions": {"uid": "nope"}}).to_string());
        both.ask(
            JSON,
            &format!("DELETE {s}"),
            &json!({"preconditions": {"resourceVersion": "nope"}}).to_string(),
        );
        both.ask(JSON, &format!("DELETE {s}"), "");
        both.get(s);
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn nothing_changed_keeps_the_revision() {
    on_both(|both| {
        both.post(SECRETS, &named("s", &json!({"stringData": {"k": "v"}})));
        for world in &both.worlds {
            let path = format!("/api/v1/namespaces/{}/secrets/s", world.namespace("a"));
            let before = world.get(&path).unwrap();
            world.patch(&path, &json!({"data": {"k": "dg=="}}));
            assert_eq!(world.get(&path).unwrap(), before);
        }
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn server_side_apply_is_alike() {
    on_both(|both| {
        let s = |manager: &str| format!("{SECRETS}/s?fieldManager={manager}");
        let config = |more: &Value| {
            let mut config = named("s", more);
            config["apiVersion"] = "v1".into();
            config["kind"] = "Secret".into();
            config
        };
        both.patch(
            APPLY,
            &s("one"),
            &config(
                &json!({"metadata": {"name": "s", "labels": {"l": "1"}}, "data": {"a": "dg==", "b": "dg=="}}),
            ),
        );
        both.patch(
            APPLY,
            &s("one"),
            &config(&json!({"metadata": {"name": "s", "labels": {"l": "1"}}, "data": {"a": "dg=="}})),
        );
        both.patch(APPLY, &s("two"), &config(&json!({"data": {"a": "dnY="}})));
        both.patch(APPLY, &format!("{}&force=true", s("two")), &config(&json!({"data": {"a": "dnY="}})));
        both.patch(APPLY, &format!("{}&force=true", s("two")), &config(&json!({"data": {"a": "dnY="}})));
        both.patch(MERGE, &s("three"), &json!({"data": {"a": "dg==", "z": "dg=="}}));
        both.patch(APPLY, &s("two"), &config(&json!({"data": {"a": "dnY=", "z": "MQ=="}})));
        both.patch(APPLY, &format!("{SECRETS}/s"), &config(&json!({})));
        both.patch(APPLY, &s("one"), &json!({"data": {"a": "dnY="}}));
        both.patch(APPLY, &format!("{}&dryRun=All", s("four")), &config(&json!({"data": {"q": "dnY="}})));
        both.patch(
            APPLY,
            &format!("{SECRETS}/new?fieldManager=one&dryRun=All"),
            &json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "new"}, "type": "Opaque"}),
        );
        both.get(&format!("{SECRETS}/s"));
        both.get(&format!("{SECRETS}/new"));
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn lists_and_their_shapes_are_alike() {
    on_both(|both| {
        for (name, labels) in [("a", json!({"l": "1"})), ("b", json!({"l": "2", "m": ""})), ("c", json!({}))]
        {
            both.post(SECRETS, &json!({"metadata": {"name": name, "labels": labels}, "data": {"k": "dg=="}}));
        }
        for selector in
            ["l=1", "l==2", "l!=1", "l", "!l", "l in (1,2),m", "l notin (1)", "l in (1)", "a b c", "m="]
        {
            both.get(&format!("{SECRETS}?labelSelector={selector}"));
        }
        for selector in
            ["metadata.name=a", "metadata.name!=a", "type=Opaque,metadata.name!=b", "type=x", "foo=bar"]
        {
            both.get(&format!("{SECRETS}?fieldSelector={selector}"));
        }
        both.get(&format!("{SECRETS}?limit=2"));
        both.get(&format!("{SECRETS}?limit=3"));
        both.get("/api/v1/namespaces/nope/secrets");
        for accept in [
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        ] {
            both.accept = accept;
            both.get(SECRETS);
            both.get(&format!("{SECRETS}?includeObject=None&limit=1"));
        }
        both.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        both.get(&format!("{SECRETS}/a"));
        both.patch(MERGE, &format!("{SECRETS}/a"), &json!({"metadata": {"labels": {"n": "1"}}}));
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn a_finalizer_holds_an_object_on_both() {
    on_both(|both| {
        let s = &format!("{SECRETS}/s");
        both.post(SECRETS, &json!({"metadata": {"name": "s", "finalizers": ["x.io/f"]}}));
        both.ask(JSON, &format!("DELETE {s}"), "");
        both.get(s);
        both.post(SECRETS, &named("s", &json!({})));
        both.patch(MERGE, s, &json!({"metadata": {"finalizers": null}}));
        both.get(s);
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn rights_are_judged_alike() {
    on_both(|both| {
        both.post(SECRETS, &named("mine", &json!({})));
        both.as_user(&json!([
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"]},
            {"verbs": ["create"], "apiGroups": ["batch"], "resources": ["jobs"]},
        ]));
        both.get(&format!("{SECRETS}/mine"));
        both.get(&format!("{SECRETS}/other"));
        both.get(SECRETS);
        both.get(&format!("{SECRETS}?fieldSelector=metadata.name=mine"));
        both.get("/api/v1/secrets");
        both.post(SECRETS, &named("s", &json!({})));
        both.post(&format!("{JOBS}?dryRun=All"), &job("j", &json!({"suspend": true})));
        both.get(&format!("{JOBS}/j"));
        both.get("/apis/run.ai/v2alpha1/namespaces/@/trainingworkloads/x");
        both.get("/api/v1/namespaces/@");
        both.patch(MERGE, &format!("{SECRETS}/mine"), &json!({}));
        both.ask(JSON, &format!("DELETE {SECRETS}/mine"), "");
        let review = json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": {"namespace": "@", "verb": "create", "group": "batch", "resource": "jobs"}}});
        let answer = both.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review);
        assert_eq!(answer["body"]["status"]["allowed"], true);
        both.tokens = ["nobody".into(), "nobody".into()];
        both.get(SECRETS);
    });
}
