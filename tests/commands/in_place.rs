//! `attach` and `detach` with `-f … --in-place`: manifests are written back, and no cluster is asked.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use support::{Outcome, Sandbox};

const JOB: &str = "\
apiVersion: batch/v1
kind: Job # of team a
metadata: {name: train}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox}]
";

const CONFIG: &str = "kind: ConfigMap\napiVersion: v1\nmetadata:   {name: c}\n";

fn attach(sandbox: &Sandbox, files: &[&str]) -> Outcome {
    let flags = files.iter().flat_map(|file| ["-f", file]);
    sandbox.run(["attach", "hf", "--env", "TOKEN=token", "--in-place"].into_iter().chain(flags))
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path().join(name)).unwrap()
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn in_place_every_file_gets_what_would_be_printed_and_what_does_not_change_is_not_written() {
    let sandbox = Sandbox::new();
    sandbox.file("m/a.yaml", JOB);
    sandbox.file("m/config.yaml", CONFIG);
    sandbox.file("m/sub/b.yml", JOB.replace("train", "b"));
    let printed = sandbox.run(["attach", "hf", "--env", "TOKEN=token", "-f", "m/a.yaml"]).success().stdout;
    let whole = ["attach", "hf", "--env", "TOKEN=token", "--in-place", "-f", "m", "-R"];
    let number = |name: &str| fs::metadata(sandbox.path().join(name)).unwrap().ino();
    let config = number("m/config.yaml");
    let done = sandbox.run(whole).success();
    assert_eq!(done.stdout, "m/a.yaml updated\nm/config.yaml unchanged\nm/sub/b.yml updated\n", "{done}");
    assert!(done.stderr.contains("note: job.batch/train: env TOKEN ← SECRET:hf,token"), "{done}");
    assert_eq!(text(&sandbox, "m/a.yaml"), printed);
    assert_eq!((text(&sandbox, "m/config.yaml").as_str(), number("m/config.yaml")), (CONFIG, config));
    let (first, second) = (number("m/a.yaml"), number("m/sub/b.yml"));
    let again = sandbox.run(whole).success();
    assert_eq!(again.stdout.matches(" unchanged\n").count(), 3, "{again}");
    assert_eq!((number("m/a.yaml"), number("m/sub/b.yml")), (first, second));
    let detached = sandbox.run(["detach", "hf", "-f", "m/a.yaml", "--in-place"]).success();
    assert_eq!(detached.stdout, "m/a.yaml updated\n");
    assert!(!text(&sandbox, "m/a.yaml").contains("secretKeyRef"));
    assert_eq!(
        names_in(&sandbox.path().join("m")),
        ["a.yaml", "config.yaml", "sub"].map(String::from).into()
    );
}

#[test]
fn in_place_a_file_keeps_its_mode_and_the_links_that_lead_to_it() {
    let sandbox = Sandbox::new();
    let real = sandbox.file("real/job.yaml", JOB);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/job.yaml", sandbox.path().join("job.yaml")).unwrap();
    let owner = |path: &Path| fs::metadata(path).map(|file| (file.uid(), file.gid())).unwrap();
    let before = owner(&real);
    // Named twice, by two names, it is written once.
    let done = attach(&sandbox, &["job.yaml", "real/job.yaml"]).success();
    assert_eq!(done.stdout, "job.yaml updated\n", "{done}");
    assert!(fs::symlink_metadata(sandbox.path().join("job.yaml")).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(owner(&real), before);
    assert!(text(&sandbox, "real/job.yaml").contains("secretKeyRef"));
    assert_eq!(names_in(&sandbox.path().join("real")), ["job.yaml"].map(String::from).into());
}

#[test]
fn in_place_nothing_is_written_unless_every_file_can_be() {
    let sandbox = Sandbox::new();
    let taken = JOB.replace("image: busybox", "image: busybox, env: [{name: TOKEN, value: x}]");
    sandbox.file("a.yaml", JOB);
    sandbox.file("taken.yaml", &taken);
    sandbox.file("broken.yaml", "a: b: c\n");
    sandbox.file("one.yaml", JOB);
    fs::hard_link(sandbox.path().join("one.yaml"), sandbox.path().join("two.yaml")).unwrap();
    let locked = sandbox.file("locked/b.yaml", JOB);
    let folder = locked.parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    // Rights do not bind the superuser.
    let binds = fs::write(folder.join("probe"), "").is_err();
    let cases = [
        (&["a.yaml", "taken.yaml"][..], 1, "already has"),
        (&["a.yaml", "broken.yaml"], 2, "broken.yaml, document 1, line 1: not valid YAML"),
        (&["a.yaml", "two.yaml"], 1, "two.yaml is a hard link"),
        (&["a.yaml", "/dev/null"], 2, "/dev/null is empty"),
        (&["-"], 2, "--in-place needs files, and -f - is standard input"),
        (&["a.yaml", "locked/b.yaml"], 1, "can't write a new locked/b.yaml"),
    ];
    for (files, code, part) in cases.iter().take(if binds { 6 } else { 5 }) {
        let flags = files.iter().flat_map(|file| ["-f", file]);
        let words = ["attach", "hf", "--env", "TOKEN=token", "--in-place"].into_iter().chain(flags);
        let refused = sandbox.stdin(JOB).run(words).fails_with(*code);
        assert!(refused.stderr.contains(part), "{part:?} is missing in {refused}");
        assert_eq!(refused.stdout, "", "{refused}");
        assert_eq!(text(&sandbox, "a.yaml"), JOB, "{refused}");
        let hidden = names_in(&sandbox.path()).into_iter().find(|name| name.starts_with('.'));
        assert_eq!(hidden, None, "{refused}");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    for flags in [&["-o", "yaml"][..], &["-o", "runai"]] {
        let words = ["attach", "hf", "--env", "TOKEN=token", "--in-place", "-f", "a.yaml"];
        sandbox.run(words.iter().chain(flags)).fails_with(2);
    }
    sandbox.run(["attach", "hf", "job/train", "--env", "TOKEN=token", "--in-place"]).fails_with(2);
    assert_eq!(text(&sandbox, "a.yaml"), JOB);
}

#[test]
fn a_file_that_the_shell_has_emptied_is_answered_with_in_place() {
    let sandbox = Sandbox::new();
    sandbox.file("job.yaml", "");
    let refused = attach(&sandbox, &["job.yaml"]).fails_with(2);
    assert!(refused.stderr.contains("job.yaml is empty; was it also the output?\nhint: "), "{refused}");
    assert!(refused.stderr.contains("--in-place"), "{refused}");
}
