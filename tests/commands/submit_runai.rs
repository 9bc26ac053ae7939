//! `submit` in the words of the `runai` CLI: command lines that people have published, with other names.

use serde_json::{Value, json};
use support::{Outcome, Sandbox, World, scenario};

use crate::workloads::job;

/// Words that `submit` takes, and lines of the manifest that it makes of them.
const TAKEN: [(&str, &[&str]); 17] = [
    (
        "--name train -i registry.example.org/lab/img:v1 --gpu 1 --large-shm -e VIRTUAL_HOME=/mnt/lab/home/jane \
         -e WANDB_API_KEY=SECRET:wandb-secret,secret --node-pool v100 --run-as-uid 1000 --run-as-gid 2000 \
         --supplemental-groups 3000 --existing-pvc claimname=lab-scratch,path=/mnt/lab/scratch --command -- \
         /bin/bash -c x",
        &[
            "  name: train",
            "    runai/node-pool: v100",
            "runAsUser: 1000",
            "runAsGroup: 2000",
            "        - 3000",
            "claimName: lab-scratch",
            "mountPath: /mnt/lab/scratch",
            "name: wandb-secret",
            "key: secret",
        ],
    ),
    (
        "--name shell -i img --interactive --run-as-uid 1 --run-as-gid 2 --supplemental-groups 3,4,5 --node-pools default \
         --cpu 64 --cpu-limit 124 --memory 128G --memory-limit 256G --pvc home:/home/jane --pvc scratch:/scratch",
        &["priorityClassName: build", "        - 4", "        - 5", "memory: 128G", "claimName: home"],
    ),
    (
        "--job-name-prefix train --image img --pvc scratch:/scratch --working-dir / -e HOME=/scratch/jane \
         -e HF_TOKEN=SECRET:my-secret,hf_token -e WANDB_API_KEY=SECRET:my-secret,wandb_api_key --cpu 1 --cpu-limit 16 \
         --gpu 1 --run-as-uid 1000 --run-as-gid 11180 --image-pull-policy IfNotPresent --memory 8G --command -- bash",
        &["  name: train-", "workingDir: /", "key: wandb_api_key", "imagePullPolicy: IfNotPresent"],
    ),
    (
        "griffon --image img --gpu=4 --cpu=20 --cpu-limit=20 --large-shm --environment GIT_USERNAME=SECRET:github,username \
         --environment GIT_PASSWORD=SECRET:github,password --pvc lab-scratch:/scratch",
        &["key: password", "nvidia.com/gpu: \"4\"", "medium: Memory"],
    ),
    (
        "--name pretokenize --image img --gpu 0 --environment WANDB_API_KEY=SECRET:wandb-secret,secret1 \
         --environment HF_TOKEN=SECRET:hf-secret,secret1 --existing-pvc claimname=lab-scratch,path=/scratch \
         --existing-pvc claimname=home,path=/home/jane --backoff-limit 0 --command -- /bin/bash -lc x",
        &["backoffLimit: 0", "key: secret1", "claimName: home", "mountPath: /home/jane"],
    ),
    (
        "check-files -i img --image-pull-policy Always --cpu-core-request 4 --cpu-memory-request 32G \
         --existing-pvc claimname=lab-scratch,path=/mnt/lab/scratch --restart-policy Never --command -- bash /opt/x.sh -m 50",
        &["cpu: \"4\"", "memory: 32G", "restartPolicy: Never"],
    ),
    (
        "seed -i img --preemptibility preemptible --existing-pvc claimname=data,path=/data --working-dir /data/bucket \
         -e PYTHONUNBUFFERED=1 --cpu-core-request 4.0 --cpu-core-limit 8.0 --cpu-memory-request 16G \
         --cpu-memory-limit 32G --backoff-limit 0 --command -- bash -lc x",
        &["kai.scheduler/preemptibility: preemptible", "cpu: \"4.0\"", "cpu: \"8.0\"", "memory: 32G"],
    ),
    (
        "sweep -i img --cpu-core-limit 2 --cpu-core-request 2 --cpu-memory-limit 24G --cpu-memory-request 24G \
         --gpu-request-type portion --gpu-portion-request 0.2 -e EPOCHS=20 -- ./run.sh",
        &["gpu-fraction: \"0.2\"", "memory: 24G"],
    ),
    (
        "dev -i img --image-pull-policy Always --gpu-devices-request 1 --preemptible --interactive \
         --host-path path=/hpi/jane/x,mount=/workspace,readwrite \
         --host-path path=/hpi/data,mount=/data,mount-propagation=HostToContainer -- bash -c x",
        &[
            "priorityClassName: interactive-preemptible",
            "kai.scheduler/preemptibility: preemptible",
            "path: /hpi/jane/x",
            "mountPropagation: HostToContainer",
            "readOnly: true",
        ],
    ),
    (
        "adni -i img --large-shm --node-type A100 --gpu-devices-request 1 --environment OMP_NUM_THREADS=16 \
         --environment-variable WANDB_DIR=/tmp --host-path path=/nfs,mount=/nfs,readwrite --command -- bash -c x",
        &["run.ai/type: A100", "nvidia.com/gpu: \"1\"", "name: WANDB_DIR", "value: /tmp"],
    ),
    (
        "--name e47 --gpu-memory 24G -i img --pvc=storage:/storage --large-shm --command -- bash x.sh --sub20",
        &["gpu-memory: \"22889\"", "        - --sub20"],
    ),
    (
        "--image img --gpu-memory-request 4G --large-shm --name-prefix jupyter",
        &["  name: jupyter-", "gpu-memory: \"3815\""],
    ),
    (
        "part -i img -g 2 --gpu-portion-request 0.5 --env-secret HF_TOKEN=hf-secret,key=secret1 \
         --secret-volume path=/etc/wandb,name=wandb-secret",
        &["gpu-fraction-num-devices: \"2\"", "secretName: wandb-secret", "key: secret1"],
    ),
    (
        "tolerant -i img --toleration operator=Equal,key=dedicated,value=ml,effect=NoSchedule \
         --toleration operator=Exists,key=gpu",
        &["operator: Equal", "value: ml", "key: gpu"],
    ),
    (
        "hpo1 -i img -g 1 --parallelism 3 --completions 12 --volume /nfs/john/hpo:/hpo",
        &["path: /nfs/john/hpo"],
    ),
    (
        "kept -i img --auto-deletion-time-after-completion 24h -c -- sleep 9",
        &["ttlSecondsAfterFinished: 86400"],
    ),
    ("queued -i img --kai-queue q --interactive --preemptible", &["priorityClassName: build-preemptible"]),
];

/// Words that `submit` refuses: the sentence's beginning, and a part of the way that it shows.
const ANSWERED: [(&str, &str, &str); 16] = [
    (
        "build -i img --interactive --service-type=nodeport --port 30022:22",
        "submit has no --service-type: ",
        "kubectl port-forward",
    ),
    ("build -i img -s nodeport", "submit makes no service for the job, and here -s ", "kubectl port-forward"),
    ("griffon -i img --environment WANDB_API_KEY:wandb,key", "-e, --environment takes ", "VAR=SECRET:"),
    ("train -i img --tty --stdin --allow-privilege-escalation", "submit has no --tty: ", "kubectl exec -it"),
    (
        "prod -i img --nfs server=nfs.example.org,path=/x,mountpath=/mnt,readwrite",
        "submit has no --nfs: ",
        "--pvc NAME:PATH",
    ),
    ("adni -i img --run-as-user --large-shm", "submit has no --run-as-user: ", "--run-as-uid \"$(id -u)\""),
    (
        "hf -i img --env-my-credentials type=genericSecret,name=HF_TOKEN,credential-name=hf-token,key=HF_TOKEN",
        "submit has no --env-my-credentials: ",
        "-e VAR=SECRET:NAME,KEY",
    ),
    (
        "hf -i img --image-pull-my-credentials type=dockerRegistry,name=reg",
        "submit has no --image-pull-my-credentials: ",
        "--image-pull-secret NAME",
    ),
    (
        "git -i img --git-sync name=x,repository=y,path=/z,secret=s",
        "submit has no --git-sync: ",
        "-e GIT_TOKEN=SECRET:",
    ),
    (
        "pytorch -i img --workers 1 --gpu-devices-request 1 --master-gpu-devices-request 1",
        "submit has no --workers: ",
        "attach NAME -f FILE",
    ),
    ("shell -i img --command sleep --args infinity", "submit has no --args: ", "--command -- sleep infinity"),
    (
        "acl -i img --gpu-memory 4G --host-ipc -v /nfs:/nfs -e A=b -- bash",
        "submit has no --host-ipc: ",
        "--large-shm",
    ),
    (
        "hpo1 -i img -g 1 -v /nfs/john/hpo:/hpo",
        "\"/nfs/john/hpo:/hpo\" is no name of a job, and here -v ",
        "--volume /nfs/john/hpo:/hpo",
    ),
    ("--jupyter -g 0.1 workload-name", "submit has no --jupyter: ", "jupyter/scipy-notebook"),
    ("train -i img --env HF=SECRET:hf,token", "submit has no --env: ", "-e VAR=SECRET:NAME,KEY"),
    ("train -i img --restart-policy Always", "invalid value 'Always' for '--restart-policy", "OnFailure"),
];

fn submit(sandbox: &Sandbox, words: &str, more: &[&str]) -> Outcome {
    let words = words.split_whitespace();
    let (own, after): (Vec<&str>, Vec<&str>) = match words.clone().position(|word| word == "--") {
        Some(at) => (words.clone().take(at).collect(), words.skip(at).collect()),
        None => (words.collect(), Vec::new()),
    };
    sandbox.run([&["submit"][..], &own, more, &after].concat())
}

#[scenario]
fn published_command_lines_are_taken_with_their_meaning(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    for (name, keys) in [
        ("wandb-secret", &["secret", "secret1"][..]),
        ("hf-secret", &["secret1"]),
        ("my-secret", &["hf_token", "wandb_api_key"]),
        ("github", &["username", "password"]),
    ] {
        let values: Vec<_> = keys.iter().map(|key| (*key, "v4lue-of-this")).collect();
        world.create_secret(&namespace, name, &values);
    }
    for (words, lines) in TAKEN {
        let printed = submit(sandbox, words, &["-n", &namespace, "--dry-run=client", "-o", "yaml"]).success();
        for line in lines {
            assert!(printed.stdout.contains(line), "{line:?} is missing in {words}\n{printed}");
        }
        assert!(!printed.stderr.contains("error") && !printed.stderr.contains("hint"), "{printed}");
        submit(sandbox, words, &["-n", &namespace, "--dry-run=server"]).success();
    }
}

#[test]
fn published_command_lines_that_are_not_taken_are_answered_with_the_flag_and_the_way() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    for (words, error, way) in ANSWERED {
        let refused = submit(&sandbox, words, &[]).fails_with(2);
        assert!(refused.stderr.starts_with(&format!("error: {error}")), "{words}\n{refused}");
        assert!(refused.stderr.contains(way), "{way:?} is missing in {words}\n{refused}");
        assert!(!refused.stderr.contains("did you mean"), "{refused}");
    }
    assert!(world.requests().is_empty());
}

#[test]
fn a_flag_of_the_workload_is_never_answered_with_one_of_the_connection_or_any_other() {
    let sandbox = Sandbox::new().with(&World::in_process());
    for flag in ["--run-as-ui", "--cpu-memory-requested", "--gpu-devices", "--host-paths-new", "--tolerate"] {
        let refused = submit(&sandbox, &format!("x -i img {flag} 1"), &[]).fails_with(2);
        for wrong in ["--as-uid?", "--gpu-memory?", "--pvc?", "--output?", "--completions?"] {
            assert!(!refused.stderr.contains(wrong), "{flag}\n{refused}");
        }
    }
    let near = submit(&sandbox, "x -i img --cpu-memory-reqest 2G", &[]).fails_with(2);
    assert!(near.stderr.contains("did you mean --cpu-memory-request?"), "{near}");
}

#[scenario]
fn what_is_asked_for_in_run_ais_words_reaches_the_pods(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    let words = "--name train -i img --gpu-memory-request 2G --run-as-uid 1000 --run-as-gid 2000 --supplemental-groups 3000,4000 \
                 --toleration operator=Exists,key=gpu,effect=NoExecute,seconds=60 --restart-policy OnFailure \
                 --host-path path=/raid,mount=/data --node-pools fast";
    submit(sandbox, words, &["-n", &namespace]).success();
    let template = job(world, &namespace, "train").unwrap()["spec"]["template"].clone();
    let spec = &template["spec"];
    assert_eq!(template["metadata"]["annotations"]["gpu-memory"], "1908");
    assert_eq!(template["metadata"]["labels"]["runai/node-pool"], "fast");
    let context = json!({"runAsUser": 1000, "runAsGroup": 2000, "supplementalGroups": [3000, 4000]});
    assert_eq!((&spec["securityContext"], &spec["restartPolicy"]), (&context, &json!("OnFailure")));
    let toleration =
        json!({"operator": "Exists", "key": "gpu", "effect": "NoExecute", "tolerationSeconds": 60});
    assert_eq!(spec["tolerations"], json!([toleration]));
    assert_eq!(spec["volumes"][0]["hostPath"]["path"], "/raid");
    assert_eq!(spec["containers"][0]["volumeMounts"][0]["readOnly"], Value::Bool(true));
}

#[scenario]
fn every_way_to_write_a_variable_of_a_secret_is_the_same_reference(world: &World, sandbox: &Sandbox) {
    let namespace = world.namespace("a");
    world.create_secret(&namespace, "hf", &[("token", "v4lue-of-hf")]);
    let reference = json!([{"name": "HF", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}]);
    for way in [
        "-e HF=SECRET:hf,token",
        "-eHF=SECRET:hf,token",
        "-e=HF=SECRET:hf,token",
        "--environment HF=SECRET:hf,token",
        "--environment=HF=SECRET:hf,token",
        "--environment-variable HF=SECRET:hf,token",
        "--environment-variable=HF=SECRET:hf,token",
        "--env-secret HF=hf,key=token",
        "--env-secret=HF=hf,key=token",
    ] {
        let printed = submit(
            sandbox,
            &format!("a -i img {way}"),
            &["-n", &namespace, "--dry-run=client", "-o", "json"],
        );
        let env = &printed.success().json()["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(env, &reference, "{way}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_before_anything_is_sent() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    for (words, part) in [
        ("a --name b", "at most one NAME is allowed, got 2"),
        ("--cpu 1 --cpu-core-request 2", "--cpu takes one value, and is given twice"),
        ("-g 2 --gpu-memory-request 2G", "is a part of one GPU, and --gpu asks for 2"),
        ("-g 0.5 --gpu-portion-request 0.5", "takes a part of whole GPUs"),
        (
            "--gpu-request-type memory --gpu-portion-request 0.5",
            "--gpu-request-type memory needs --gpu-memory-request",
        ),
        ("--gpu-request-type portion", "needs --gpu-portion-request"),
        ("--preemptible --preemptibility non-preemptible", "cannot be used with"),
        ("--node-pools a --node-pools b", "the pods of a Job can name only one"),
        ("--existing-pvc claimname=c", "--existing-pvc lacks path="),
        ("--supplemental-groups a", "--supplemental-groups"),
        ("--pvc c:/data --host-path path=/x,mount=/data", "two volumes have the same path /data"),
    ] {
        let refused = submit(&sandbox, &format!("-i img {words}"), &[]).fails_with(2);
        assert!(refused.stderr.contains(part), "{part:?} is missing in {refused}");
    }
    assert!(world.requests().is_empty());
}
