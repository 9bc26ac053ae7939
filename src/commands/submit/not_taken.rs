//! The flags of the `runai` CLI, and of `attach`, that `submit` does not take: for each the reason, and what to do
//! instead.

use crate::command_line::CommandLine;
use crate::error::Error;

const IN_THE_MANIFEST: &str =
    "print the manifest with --dry-run=client -o yaml, add the field, and kubectl create it";
const NO_PORTS: &str = "it makes no service for the job";
const FORWARD: &str = "once the job runs: kubectl port-forward job/NAME LOCAL:PORT";
const NO_ASSETS: &str = "assets are in Run:ai's control plane, which this plugin does not ask";
const NO_TERMINAL: &str = "a job has no terminal";
const OPEN_A_SHELL: &str = "leave it out; once the job runs: kubectl exec -it job/NAME -- sh";
const NO_RIGHTS: &str = "of a container's rights it sets user and groups only";
const NO_HOST: &str = "of the node it gives a job folders only";
const ONE_SORT: &str = "a Job has pods of one sort";
const IN_YAML: &str =
    "write the workload in YAML, and attach to it: kubectl runai-secret attach NAME -f FILE --env KEY";
const NO_INFERENCE: &str = "it makes jobs, no inference";
const GPU_PARTS: &str = "how Run:ai writes this on a Job is not documented";
const NO_PLACE: &str = "nodes are chosen by --node-pools, --node-type and --toleration only";

/// A flag, or with a star the beginning of several; the reason; the way.
const NOT_TAKEN: [(&str, &str, &str); 83] = [
    ("--address", NO_PORTS, FORWARD),
    ("--external-url", NO_PORTS, FORWARD),
    ("--port", NO_PORTS, FORWARD),
    ("--service-type", NO_PORTS, FORWARD),
    ("--attach", NO_TERMINAL, OPEN_A_SHELL),
    ("--stdin", NO_TERMINAL, OPEN_A_SHELL),
    ("--tty", NO_TERMINAL, OPEN_A_SHELL),
    ("--args", "arguments stand after --", "for example: --command -- sleep infinity"),
    ("--always-pull-image", "it has another name", "use --image-pull-policy Always"),
    ("--local-image", "it has another name", "use --image-pull-policy Never"),
    ("--env", "it has another name", "use -e VAR=SECRET:NAME,KEY, or -e VAR=VALUE for what is no secret"),
    (
        "--mount",
        "it has another name",
        "use --secret-volume path=PATH,name=NAME for a secret, --pvc NAME:PATH for a claim",
    ),
    ("--image-pull", "it has another name", "use --image-pull-secret NAME"),
    ("--run-as-group", "it has another name", "use --run-as-gid"),
    (
        "--run-as-user",
        "it takes numbers, not the user of your terminal",
        "for your own: --run-as-uid \"$(id -u)\" --run-as-gid \"$(id -g)\"",
    ),
    (
        "--user-group-source",
        "the image's own user is what a job has anyway, and only Run:ai's control plane sees your login",
        "leave it out, or use --run-as-uid and --run-as-gid",
    ),
    ("--add-capability", NO_RIGHTS, IN_THE_MANIFEST),
    ("--allow-privilege-escalation", NO_RIGHTS, IN_THE_MANIFEST),
    ("--capability", NO_RIGHTS, IN_THE_MANIFEST),
    ("--prevent-privilege-escalation", NO_RIGHTS, IN_THE_MANIFEST),
    ("--privileged", NO_RIGHTS, IN_THE_MANIFEST),
    ("--run-as-non-root", NO_RIGHTS, "use --run-as-uid, or add runAsNonRoot to the manifest"),
    ("--seccomp-profile", NO_RIGHTS, IN_THE_MANIFEST),
    ("--host-ipc", NO_HOST, "for large shared memory: --large-shm"),
    ("--host-network", NO_HOST, IN_THE_MANIFEST),
    (
        "--mount-propagation",
        "each folder has its own",
        "use --host-path path=FOLDER,mount=PATH,mount-propagation=HostToContainer",
    ),
    (
        "--create-home-dir",
        "it makes no home folder",
        "use one that exists: -e HOME=/tmp, or a claim: --pvc NAME:PATH",
    ),
    ("--compute", NO_ASSETS, "say what it stands for: --gpu, --cpu, --memory"),
    (
        "--datasource",
        NO_ASSETS,
        "say what it stands for: --pvc NAME:PATH, --host-path or --secret-volume path=PATH,name=NAME",
    ),
    ("--datavolume", NO_ASSETS, "mount the claim that it stands for: --pvc NAME:PATH"),
    ("--template", NO_ASSETS, "write the template's flags out"),
    (
        "--env-my-credentials",
        "your own credentials are in Run:ai's control plane, which this plugin does not ask",
        "use a secret of the project: -e VAR=SECRET:NAME,KEY; to see them: kubectl runai-secret list",
    ),
    (
        "--image-pull-my-credentials",
        "your own credentials are in Run:ai's control plane, which this plugin does not ask",
        "use a login of the project: --image-pull-secret NAME; to make one: kubectl runai-secret create docker-registry NAME",
    ),
    (
        "--ngc-auth-secret",
        NO_INFERENCE,
        "to give a job the key: -e NGC_API_KEY=SECRET:NAME,KEY, and to pull with it: --image-pull-secret NAME",
    ),
    (
        "--nfs",
        "it mounts claims and folders of the node",
        "mount a claim of that export: --pvc NAME:PATH; or add the volume to the manifest: --dry-run=client -o yaml",
    ),
    (
        "--nfs-server",
        "it mounts claims and folders of the node",
        "mount a claim of that export: --pvc NAME:PATH",
    ),
    (
        "--s3",
        "Kubernetes has no volume for a bucket",
        "read the bucket in the program, with the access key as variables: --env-all NAME",
    ),
    (
        "--git-sync",
        "it adds no container that clones",
        "clone in the command, with the login from a secret: -e GIT_TOKEN=SECRET:NAME,KEY --command -- sh -c 'git clone …'",
    ),
    ("--new-pvc", "it makes no claims", "create the claim first, then --pvc NAME:PATH"),
    ("--pvc-new", "it makes no claims", "create the claim first, then --pvc NAME:PATH"),
    ("--configmap-map-volume", "it mounts no config maps", IN_THE_MANIFEST),
    ("--configmap-volume", "it mounts no config maps", IN_THE_MANIFEST),
    ("--empty-dir-volume", "of empty folders it has shared memory only: --large-shm", IN_THE_MANIFEST),
    ("--env-pod-field-ref", "variables are plain, or of a secret", IN_THE_MANIFEST),
    ("--extended-resource", "of resources it has GPUs, CPUs and memory", IN_THE_MANIFEST),
    ("--gpu-memory-limit", GPU_PARTS, "leave it out: the job gets what it requests"),
    ("--gpu-portion-limit", GPU_PARTS, "leave it out: the job gets what it requests"),
    ("--mig", GPU_PARTS, "ask for a part: --gpu 0.5, or --gpu-memory 10G"),
    ("--mig-profile", GPU_PARTS, "ask for a part: --gpu 0.5, or --gpu-memory 10G"),
    ("--exclude-node", NO_PLACE, IN_THE_MANIFEST),
    ("--preferred-pod-topology-key", NO_PLACE, IN_THE_MANIFEST),
    ("--required-pod-topology-key", NO_PLACE, IN_THE_MANIFEST),
    (
        "--priority",
        "the scheduler reads it from a label",
        "use --label priorityClassName=NAME; to see the names: kubectl get priorityclass",
    ),
    ("--elastic", ONE_SORT, "use --parallelism and --completions"),
    ("--termination-grace-period", "pods end as the cluster has it", IN_THE_MANIFEST),
    ("--pod-running-timeout", "waiting has one limit", "use --wait=DURATION"),
    ("--wait-for-submit", "waiting has one limit", "use --wait=DURATION"),
    ("--clean-pod-policy", ONE_SORT, "to delete the finished job: --ttl-after-finish DURATION"),
    ("--master-*", ONE_SORT, IN_YAML),
    ("--no-master", ONE_SORT, IN_YAML),
    ("--processes", ONE_SORT, IN_YAML),
    ("--slots-per-worker", ONE_SORT, IN_YAML),
    ("--worker-*", ONE_SORT, IN_YAML),
    ("--workers", ONE_SORT, IN_YAML),
    ("--inference", NO_INFERENCE, IN_YAML),
    ("--activation-replicas", NO_INFERENCE, IN_YAML),
    ("--concurrency-hard-limit", NO_INFERENCE, IN_YAML),
    ("--initial-replicas", NO_INFERENCE, IN_YAML),
    ("--initialization-timeout-seconds", NO_INFERENCE, IN_YAML),
    ("--max-replicas", NO_INFERENCE, IN_YAML),
    ("--metric*", NO_INFERENCE, IN_YAML),
    ("--min-replicas", NO_INFERENCE, IN_YAML),
    ("--request-timeout-seconds", NO_INFERENCE, IN_YAML),
    ("--scale-*", NO_INFERENCE, IN_YAML),
    ("--serving-port", NO_INFERENCE, IN_YAML),
    (
        "--jupyter",
        "it has no images of its own",
        "use -i jupyter/scipy-notebook --interactive --command -- start-notebook.sh",
    ),
    (
        "--tensorboard",
        "it has no images of its own",
        "submit it as a job: -i tensorflow/tensorflow --command -- tensorboard …",
    ),
    ("--type", "a job is a training unless it is interactive", "leave it out, or use --interactive"),
    ("--debug", "it has another name", "use -v"),
    ("--loglevel", "it has another name", "use -v"),
    ("--liveness-probe", "it sets no probes", IN_THE_MANIFEST),
    ("--readiness-probe", "it sets no probes", IN_THE_MANIFEST),
    ("--startup-probe", "it sets no probes", IN_THE_MANIFEST),
];

/// Returns the answer to a flag that stands in the table; none if it does not.
pub(in crate::commands) fn answer(flag: &str) -> Option<Error> {
    let is_it = |row: &&(&str, &str, &str)| match row.0.strip_suffix('*') {
        Some(beginning) => flag.starts_with(beginning),
        None => row.0 == flag,
    };
    let (name, why, way) = NOT_TAKEN.iter().find(is_it)?;
    // What follows the beginning may be anything.
    let name = name.replace('*', "…");
    let error = Error::usage(format!("submit has no {name}: {why}"));
    Some(match way.split_once(": kubectl ") {
        Some((what, line)) => error.hint(format!("{what}: {}", shown(line))),
        None => error.hint(way),
    })
}

fn shown(line: &'static str) -> CommandLine {
    line.strip_prefix("runai-secret ").map_or_else(|| CommandLine::kubectl(line), CommandLine::plugin)
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;
    use crate::cli::program;

    /// The flags of `runai submit`, `workspace submit`, `training submit` and `inference submit`, as Run:ai's
    /// documentation has them from 2021 to version 3.0.
    const RUNAIS: &str = "
        activation-replicas add-capability address allow-privilege-escalation always-pull-image annotation args attach
        auto-deletion-time-after-completion backoff-limit backoffLimit capability clean-pod-policy command completions
        compute concurrency-hard-limit configmap-map-volume configmap-volume cpu cpu-core-limit cpu-core-request
        cpu-limit cpu-memory-limit cpu-memory-request create-home-dir datasource datavolume debug elastic
        empty-dir-volume env-my-credentials env-pod-field-ref env-secret environment environment-variable exclude-node
        existing-pvc extended-resource external-url git-sync gpu gpu-devices-request gpu-memory gpu-memory-limit
        gpu-memory-request gpu-portion-limit gpu-portion-request gpu-request-type host-ipc host-network host-path image
        image-pull-my-credentials image-pull-policy initial-replicas initialization-timeout-seconds interactive
        job-name-prefix jupyter label large-shm local-image loglevel master-args master-command master-cpu-core-limit
        master-environment-variable master-extended-resource master-gpu-devices-request master-no-pvcs
        master-restart-policy max-replicas memory memory-limit metric metric-threshold metric-threshold-percentage
        mig-profile min-replicas mount-propagation name name-prefix new-pvc nfs nfs-server ngc-auth-secret no-master
        node-pool node-pools node-type parallelism pod-running-timeout port preemptibility preemptible
        preferred-pod-topology-key prevent-privilege-escalation priority privileged processes project pvc pvc-exists
        pvc-new quiet request-timeout-seconds required-pod-topology-key restart-policy run-as-gid run-as-group
        run-as-non-root run-as-uid run-as-user runs s3 scale-down-delay-seconds scale-to-zero-retention-seconds
        seccomp-profile secret-volume service-type serving-port slots-per-worker stdin supplemental-groups template
        tensorboard termination-grace-period toleration ttl-after-finish tty user-group-source verbose volume
        wait-for-submit worker-env-secret worker-secret-volume workers working-dir";

    fn takes(submit: &Command, long: &str) -> bool {
        submit.get_arguments().any(|flag| {
            flag.get_long() == Some(long) || flag.get_all_aliases().is_some_and(|names| names.contains(&long))
        })
    }

    #[test]
    fn every_flag_of_run_ai_is_either_taken_or_answered() {
        let program = program();
        let submit = program.find_subcommand("submit").unwrap();
        for long in RUNAIS.split_whitespace() {
            let is_answered = answer(&format!("--{long}")).is_some();
            assert!(takes(submit, long) != is_answered, "--{long}: answered {is_answered}");
        }
    }

    #[test]
    fn an_answer_names_the_flag_and_never_what_else_was_typed() {
        let program = program();
        let submit = program.find_subcommand("submit").unwrap();
        for (name, ..) in NOT_TAKEN {
            let flag = name.replace('*', "hunter2");
            let text = answer(&flag).unwrap().to_string();
            assert!(
                text.starts_with(&format!("error: submit has no {}", name.trim_end_matches('*'))),
                "{text}"
            );
            assert!(text.contains("\nhint: ") && !text.contains("hunter2"), "{text}");
            assert!(!takes(submit, flag.trim_start_matches('-')), "{name} is taken, and never answered");
        }
        assert!(answer("--hunter2").is_none());
    }
}
