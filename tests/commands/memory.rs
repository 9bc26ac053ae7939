//! What others can see of the program's memory: nothing of it, by a core file or through the system.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use support::sandbox::plugin;
use support::{Fault, Gate, Hold, Sandbox, World, send_signal};

use crate::workloads::create_deployment;

const VALUE: &str = "v4lue-that-nobody-else-has-9f2c7b1e-in-the-memory-of-any-process";
const REACHED: Duration = Duration::from_mins(1);

/// A world with a secret, and a request that waits before a gate after the plugin has read the secret's keys.
fn held_after_reading(world: &World) -> (Sandbox, String, Gate) {
    let namespace = world.namespace("ns");
    world.create_secret(&namespace, "s", &[("token", VALUE)]);
    create_deployment(world, &namespace, "web");
    let gate = world.hold(Fault::on("PUT", "/deployments/web"), Hold::BeforeForwarding);
    (Sandbox::new().with(world), namespace, gate)
}

fn line(namespace: &str) -> [&str; 7] {
    ["attach", "s", "deploy/web", "--env", "TOKEN=token", "-n", namespace]
}

/// SIGILL is one that the program does not catch.
#[test]
fn no_core_file_is_written_of_a_process_that_has_read_a_value() {
    let world = World::in_process();
    let (sandbox, namespace, gate) = held_after_reading(&world);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\""]).arg(plugin()).args(line(&namespace));
    shell.current_dir(sandbox.path()).env("KUBECONFIG", sandbox.path().parent().unwrap().join("kubeconfig"));
    let mut process = shell.spawn().unwrap();
    assert!(gate.wait_reached(REACHED));
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.id()));
    send_signal("ILL", process.id());
    let ended = process.wait().unwrap();
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(4), false));
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 0, "no core file");
    if let Ok(limits) = limits {
        let core: Vec<&str> = limits.lines().filter(|line| line.starts_with("Max core file size")).collect();
        assert!(core[0].split_whitespace().filter(|word| *word == "0").count() == 2, "{core:?}");
    }
}

/// Files below `/proc` of a process that may not be looked into belong to root, whoever runs it.
#[test]
fn another_process_of_the_same_user_cannot_look_into_it() {
    let nobody = "65534";
    let as_nobody = |program: &Path| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", nobody, "--regid", nobody, "--clear-groups"]).arg(program);
        command
    };
    if !Path::new("/proc/self/mem").exists()
        || !as_nobody(Path::new("true")).status().is_ok_and(|it| it.success())
    {
        eprintln!("not tested: it needs Linux, and root, who can be another user");
        return;
    }
    let world = World::in_process();
    let (sandbox, namespace, gate) = held_after_reading(&world);
    let folder = sandbox.path().parent().unwrap().to_owned();
    let binary = folder.join("plugin");
    fs::copy(plugin(), &binary).unwrap();
    assert!(Command::new("chmod").args(["-R", "a+rX"]).arg(&folder).status().unwrap().success());
    let mut process = as_nobody(&binary)
        .args(line(&namespace))
        .current_dir(&folder)
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .spawn()
        .unwrap();
    assert!(gate.wait_reached(REACHED));
    for file in ["mem", "environ", "maps"] {
        let path = format!("/proc/{}/{file}", process.id());
        let read = as_nobody(Path::new("head")).args(["-c", "1", &path]).output().unwrap();
        assert!(!read.status.success() && read.stdout.is_empty(), "{path}");
    }
    drop(gate);
    assert!(process.wait().unwrap().success());
}

/// The shell's `<(…)` is a file below `/proc/self`, which belongs to root now.
#[test]
fn a_file_descriptor_of_the_shell_can_still_be_read() {
    let sandbox = Sandbox::new();
    let line =
        format!("{} create s --from-file=k=<(printf hunter2) --dry-run=client -o name", plugin().display());
    let created = sandbox.with_run().program(Path::new("/bin/bash"), ["-c", line.as_str()]).success();
    assert_eq!(created.stdout, "secret/s\n");
}

/// How often a value is in the memory of a process, plainly and in base64; nothing where that can't be looked at.
fn copies_in(process: u32, value: &[u8]) -> Option<[usize; 2]> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let memory = fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let base64 = BASE64_STANDARD.encode(value);
    // Without their beginnings: an allocator writes its own notes there once they are freed.
    let forms = [&value[16..48], &base64.as_bytes()[24..64]];
    let mut copies = [0; 2];
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (start, end) = map.split_whitespace().next()?.split_once('-')?;
        let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        if memory.read_exact_at(&mut bytes, start).is_ok() {
            for (copies, form) in copies.iter_mut().zip(forms) {
                *copies += bytes.windows(form.len()).filter(|window| window == &form).count();
            }
        }
    }
    Some(copies)
}

/// Two are left: the libraries for TLS and for HTTP/2 keep the buffers in which the next answer arrives.
#[test]
fn what_was_read_for_its_keys_is_not_in_memory_any_more() {
    let world = World::in_process();
    let (sandbox, namespace, gate) = held_after_reading(&world);
    drop(gate);
    world.create_secret(&namespace, "t", &[("token", VALUE), ("other", "x")]);
    let submit = ["submit", "train", "-i", "ubuntu", "-e", "T=SECRET:s,token", "-n", &namespace];
    for (line, write) in [
        (&line(&namespace)[..], Fault::on("PUT", "/deployments/web")),
        (&submit, Fault::on("POST", "/jobs")),
        (&["unset", "t", "other", "--yes", "-n", &namespace], Fault::on("PATCH", "/secrets/t")),
    ] {
        let gate = world.hold(write, Hold::BeforeForwarding);
        let running = sandbox.spawn(line);
        assert!(gate.wait_reached(REACHED), "{line:?}");
        let copies = copies_in(running.id().unwrap(), VALUE.as_bytes());
        drop(gate);
        let _ = running.wait().success();
        match copies {
            Some([plain, base64]) => assert!(plain == 0 && base64 <= 2, "{line:?}: {copies:?}"),
            None => eprintln!("not tested: it needs Linux, and root"),
        }
    }
}
