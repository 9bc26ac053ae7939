//! Jobs and what else makes pods: defaults, rules, what may not change.

use serde_json::{Value, json};

use crate::both::*;

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn jobs_are_completed_and_fixed_alike() {
    on_both(|both| {
        let j = &format!("{JOBS}/j");
        both.post(&format!("{JOBS}?dryRun=All"), &job("j", &json!({"parallelism": 2})));
        both.post(JOBS, &job("j", &json!({"suspend": true})));
        let env = json!({"spec": {"template": {"spec": {"containers": [{"name": "m", "env": [{"name": "B", "value": "2"}]}]}}}});
        both.patch(STRATEGIC, &format!("{j}?dryRun=All"), &env);
        both.patch(MERGE, j, &json!({"metadata": {"labels": {"x": "y"}}}));
        both.patch(MERGE, j, &json!({"spec": {"template": {"metadata": {"labels": {"z": "y"}}}}}));
        both.patch(MERGE, j, &json!({"spec": {"completions": 3}}));
        both.patch(MERGE, j, &json!({"spec": {"backoffLimit": 3}}));
        both.ask(
            JSON,
            &format!("DELETE {j}?propagationPolicy=Foreground"),
            &json!({"preconditions": {"uid": "nope"}}).to_string(),
        );
        both.ask(JSON, &format!("DELETE {j}?dryRun=All&propagationPolicy=Foreground"), "");
        both.ask(JSON, &format!("DELETE {j}?propagationPolicy=Background"), "");
        both.get(j);
        both.post(JOBS, &job("k", &json!({"manualSelector": true, "selector": {"matchLabels": {"q": "z"}}})));
        let mut other = job("k", &json!({}));
        other["spec"]["template"]["metadata"] =
            json!({"labels": {"controller-uid": "zzz", "batch.kubernetes.io/job-name": "j"}});
        both.post(JOBS, &other);
        other["spec"]["selector"] = json!({"matchLabels": {"controller-uid": "zzz"}});
        both.post(JOBS, &other);
        other["spec"]["manualSelector"] = true.into();
        both.post(&format!("{JOBS}?dryRun=All"), &other);
        both.post(JOBS, &job("J_", &json!({})));
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn what_is_no_map_where_one_belongs_is_refused_alike() {
    on_both(|both| {
        for wrong in [json!("x"), json!(["x"]), json!(1), json!(true)] {
            for path in [
                "metadata/labels",
                "metadata/annotations",
                "spec/selector",
                "spec/selector/matchLabels",
                "spec/template",
                "spec/template/metadata",
                "spec/template/metadata/labels",
                "spec/template/metadata/annotations",
                "spec",
            ] {
                let mut job = job("j", &json!({"selector": {"matchLabels": {}}}));
                job["spec"]["template"]["metadata"] = json!({});
                let mut at = &mut job;
                for step in path.split('/') {
                    at = &mut at[step];
                }
                *at = wrong.clone();
                let refused = both.post(JOBS, &job);
                assert_eq!(refused["status code"], 400, "{path}: {refused}");
            }
        }
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn running_jobs_have_a_fixed_template_on_both() {
    on_both(|both| {
        both.post(JOBS, &job("j", &json!({})));
        let env = json!({"spec": {"template": {"spec": {"containers": [{"name": "m", "env": [{"name": "B", "value": "2"}]}]}}}});
        let refused = both.patch(STRATEGIC, &format!("{JOBS}/j"), &env);
        assert_eq!(refused["status code"], 422, "{refused}");
        let labels = json!({"spec": {"template": {"metadata": {"labels": {"z": "y"}}}}});
        both.patch(MERGE, &format!("{JOBS}/j"), &labels);
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn a_foreground_deletion_takes_a_moment_on_both() {
    on_both(|both| {
        both.post(JOBS, &job("j", &json!({"suspend": true})));
        for world in &both.worlds {
            let path = format!("/apis/batch/v1/namespaces/{}/jobs/j", world.namespace("a"));
            let (status, left) = world.admin("DELETE", &format!("{path}?propagationPolicy=Foreground"), None);
            assert_eq!((status, &left["metadata"]["finalizers"]), (200, &json!(["foregroundDeletion"])));
            let start = std::time::Instant::now();
            while world.get(&path).is_some() {
                assert!(start.elapsed().as_secs() < 60, "the Job is still there");
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn pods_are_refused_alike() {
    on_both(|both| {
        let mut with = |container: Value, volumes: Value| {
            let mut job = job("bad", &json!({}));
            let spec = &mut job["spec"]["template"]["spec"];
            for (key, value) in container.as_object().into_iter().flatten() {
                spec["containers"][0][key] = value.clone();
            }
            spec["volumes"] = volumes;
            both.post(JOBS, &job);
        };
        let env = |items: Value| json!({"env": items});
        with(
            env(json!([{"name": "A=B", "value": "1"}, {"name": "", "value": "x"}, {"name": "a.b-c/d e"}])),
            json!(null),
        );
        let key = |name: &str, key: &str| json!({"secretKeyRef": {"name": name, "key": key}});
        with(
            env(
                json!([{"name": "Q", "value": "a", "valueFrom": key("x", "k")}, {"name": "R", "valueFrom": key("", "")}]),
            ),
            json!(null),
        );
        with(
            env(json!([{"name": "K", "valueFrom": key("x", "a b")}, {"name": "Z", "valueFrom": {}}])),
            json!(null),
        );
        with(
            json!({"envFrom": [{"prefix": "a=b", "secretRef": {"name": ""}}, {}, {"secretRef": {"name": "B_"}}]}),
            json!(null),
        );
        let mounts = json!({"volumeMounts": [
            {"name": "v", "mountPath": "/x"}, {"name": "v", "mountPath": "/x"}, {"name": "nov", "mountPath": "/y"}, {"name": "v", "mountPath": ""}]});
        with(
            mounts,
            json!([{"name": "v", "secret": {"secretName": "x"}}, {"name": "v", "secret": {"secretName": ""}}]),
        );
        with(
            json!({}),
            json!([{"name": "V_", "emptyDir": {}}, {"name": "w", "secret": {"secretName": "x", "defaultMode": 1000,
            "items": [{"key": "k", "path": "/abs"}, {"key": "", "path": "a/../b"}, {"key": "k", "path": "../x"}]}}]),
        );
        with(json!({"name": "m_", "image": ""}), json!(null));
        both.post(JOBS, &named("bad", &json!({"spec": {}})));
        both.post(
            JOBS,
            &named(
                "bad",
                &json!({"spec": {"template": {"spec": {"restartPolicy": "Always", "containers": []}}}}),
            ),
        );
    });
}

#[test]
#[ignore = "needs a real control plane: see CONTRIBUTING.md"]
fn deployments_are_completed_and_merged_alike() {
    on_both(|both| {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {
            "containers": [{"name": "m", "image": "i:latest", "ports": [{"containerPort": 80}],
                "env": [{"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}],
            "volumes": [{"name": "s", "secret": {"secretName": "x"}}]}});
        let deployment = named(
            "d",
            &json!({"spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}}),
        );
        both.post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment);
        let mut wrong = deployment.clone();
        wrong["spec"]["selector"]["matchLabels"] = json!({"a": "c"});
        both.post(DEPLOYMENTS, &wrong);
        without(&mut wrong["spec"], "selector");
        both.post(DEPLOYMENTS, &wrong);
        let d = &format!("{DEPLOYMENTS}/d");
        both.post(DEPLOYMENTS, &named("unlike", &json!({"spec": deployment["spec"]})));
        let merged = json!({"spec": {"template": {"spec": {"containers": [{"name": "m", "env": [{"name": "P2", "value": "1"}],
            "volumeMounts": [{"name": "s", "mountPath": "/s"}]}]}}}});
        both.patch(STRATEGIC, &format!("{d}?dryRun=All"), &merged);
        for kind in ["statefulsets", "daemonsets", "replicasets"] {
            let mut workload = deployment.clone();
            without(&mut workload["spec"], "replicas");
            both.post(&format!("/apis/apps/v1/namespaces/@/{kind}?dryRun=All"), &workload);
        }
        let cron =
            named("c", &json!({"spec": {"schedule": "* * * * *", "jobTemplate": job("x", &json!({}))}}));
        both.post("/apis/batch/v1/namespaces/@/cronjobs?dryRun=All", &cron);
    });
}
