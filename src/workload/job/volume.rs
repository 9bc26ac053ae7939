//! What a new job mounts besides secrets.

use serde_json::{Value, json};

use super::entries::Form;
use crate::error::{Error, Result};
use crate::workload::attachment::mount_path;
use crate::workload::name::check_object_name;

const CLAIM: Form<'_> =
    Form { flag: "--existing-pvc", keys: &["claimname", "path"], example: "claimname=datasets,path=/data" };

const FOLDER: Form<'_> = Form {
    flag: "--host-path",
    keys: &["path", "mount", "mount-propagation", "readwrite"],
    example: "path=/nfs,mount=/nfs,readwrite",
};

/// A mount of a Job other than a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Volume {
    /// Run:ai's `--large-shm`: `/dev/shm` in memory, without the usual limit of 64 MiB.
    SharedMemory,
    /// A claim that exists.
    Claim { name: String, path: String, access: Access },
    /// A folder of the node. `propagation` is the API's word; none is the API's default.
    Folder { folder: String, path: String, access: Access, propagation: Option<&'static str> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

impl Volume {
    /// Parses `--pvc NAME:PATH[:ro]`, for a claim that exists.
    ///
    /// # Errors
    /// The text has another form, or a name or path is illegal.
    pub(crate) fn parse_claim(text: &str) -> Result<Self> {
        let (name, path, access) = match text.split(':').collect::<Vec<_>>()[..] {
            [name, path] => (name, path, Access::ReadWrite),
            [name, path, "ro"] => (name, path, Access::ReadOnly),
            _ => {
                return Err(Error::usage(format!("--pvc {text:?} is not NAME:PATH[:ro]"))
                    .hint("for example: --pvc datasets:/data:ro"));
            }
        };
        Self::claim(name, path, access)
    }

    /// Parses Run:ai's `--existing-pvc claimname=NAME,path=PATH`.
    ///
    /// # Errors
    /// The text has another form, or a name or path is illegal.
    pub(crate) fn parse_existing_claim(text: &str) -> Result<Self> {
        let entries = CLAIM.parse(text)?;
        Self::claim(entries.required("claimname")?, entries.required("path")?, Access::ReadWrite)
    }

    /// Parses Run:ai's `--host-path path=PATH,mount=MOUNT,mount-propagation=None|HostToContainer,readwrite`.
    ///
    /// # Errors
    /// The text has another form, or a path is illegal.
    pub(crate) fn parse_folder(text: &str) -> Result<Self> {
        let entries = FOLDER.parse(text)?;
        let access = match entries.get("readwrite") {
            None => Access::ReadOnly,
            Some("" | "true") => Access::ReadWrite,
            Some(_) => return Err(FOLDER.refusal("takes readwrite without a value")),
        };
        let propagation = entries.one_of("mount-propagation", &["None", "HostToContainer"])?;
        Self::folder(entries.required("path")?, entries.required("mount")?, access, propagation)
    }

    /// Parses `--volume FOLDER:PATH[:ro|:rw]`, as docker and the older runai CLI take it, or the settings of
    /// [`parse_folder`](Self::parse_folder).
    ///
    /// # Errors
    /// The text has another form, or a path is illegal.
    pub(crate) fn parse_volume(text: &str) -> Result<Self> {
        if text.starts_with("path=") || text.starts_with("mount=") {
            return Self::parse_folder(text);
        }
        let (folder, path, access) = match text.split(':').collect::<Vec<_>>()[..] {
            [folder, path] | [folder, path, "rw"] => (folder, path, Access::ReadWrite),
            [folder, path, "ro"] => (folder, path, Access::ReadOnly),
            [_, _, _, _] => {
                return Err(Error::usage(format!(
                    "--volume {text:?} names a server: submit mounts no NFS export"
                ))
                .hint("mount the claim that holds it: --pvc NAME:PATH"));
            }
            _ => {
                return Err(Error::usage(format!("--volume {text:?} is not FOLDER:PATH[:ro]"))
                    .hint("for example: --volume /raid/data:/data:ro"));
            }
        };
        Self::folder(folder, path, access, None)
    }

    fn claim(name: &str, path: &str, access: Access) -> Result<Self> {
        check_object_name("persistent volume claim", name)?;
        Ok(Self::Claim { name: name.to_owned(), path: mount_path(path)?, access })
    }

    fn folder(folder: &str, path: &str, access: Access, propagation: Option<&'static str>) -> Result<Self> {
        if !folder.starts_with('/') || folder.split('/').any(|step| step == "..") {
            return Err(Error::usage(format!(
                "the node's folder {folder:?} must be absolute and without '..': it must begin with '/'"
            )));
        }
        Ok(Self::Folder { folder: folder.to_owned(), path: mount_path(path)?, access, propagation })
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Self::SharedMemory => "/dev/shm",
            Self::Claim { path, .. } | Self::Folder { path, .. } => path,
        }
    }

    /// Returns the volume's source and its mount, without their common name.
    pub(super) fn source_and_mount(&self) -> (Value, Value) {
        let mut mount = json!({ "mountPath": self.path() });
        match self {
            Self::SharedMemory => (json!({ "emptyDir": { "medium": "Memory" } }), mount),
            Self::Claim { name, access, .. } => {
                let mut claim = json!({ "claimName": name });
                if *access == Access::ReadOnly {
                    claim["readOnly"] = true.into();
                    mount["readOnly"] = true.into();
                }
                (json!({ "persistentVolumeClaim": claim }), mount)
            }
            Self::Folder { folder, access, propagation, .. } => {
                if *access == Access::ReadOnly {
                    mount["readOnly"] = true.into();
                }
                if let Some(propagation) = propagation {
                    mount["mountPropagation"] = (*propagation).into();
                }
                (json!({ "hostPath": { "path": folder } }), mount)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(access: Access) -> Volume {
        Volume::Claim { name: "c".into(), path: "/d".into(), access }
    }

    fn folder(access: Access, propagation: Option<&'static str>) -> Volume {
        Volume::Folder { folder: "/raid/x".into(), path: "/d".into(), access, propagation }
    }

    #[test]
    fn a_claim_is_a_name_and_a_path() {
        assert_eq!(Volume::parse_claim("c:/d").unwrap(), claim(Access::ReadWrite));
        assert_eq!(Volume::parse_claim("c:/d:ro").unwrap(), claim(Access::ReadOnly));
        for text in ["", "c", "c:d", "C:/d", "c:/d:rw", "c:/d:ro:x", "c:/../d", "c:/"] {
            assert!(Volume::parse_claim(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_claim_in_run_ais_words_is_the_same() {
        for text in ["claimname=c,path=/d", "path=/d/,claimname=c"] {
            assert_eq!(Volume::parse_existing_claim(text).unwrap(), claim(Access::ReadWrite), "{text}");
        }
        for text in ["", "c:/d", "claimname=c", "path=/d", "claimname=c,path=/d,ro", "claimname=c,path=d"] {
            assert!(Volume::parse_existing_claim(text).is_err(), "{text}");
        }
        let refusal = Volume::parse_existing_claim("claimname=c").unwrap_err().to_string();
        assert!(refusal.starts_with("error: --existing-pvc lacks path=\nhint: for example: --existing-pvc "));
    }

    #[test]
    fn a_folder_of_the_node_is_read_only_unless_asked_otherwise() {
        for (text, expected) in [
            ("path=/raid/x,mount=/d", folder(Access::ReadOnly, None)),
            ("path=/raid/x,mount=/d,readwrite", folder(Access::ReadWrite, None)),
            (
                "path=/raid/x,mount=/d,mount-propagation=HostToContainer",
                folder(Access::ReadOnly, Some("HostToContainer")),
            ),
        ] {
            assert_eq!(Volume::parse_folder(text).unwrap(), expected, "{text}");
        }
        for text in
            ["path=/raid", "path=raid,mount=/d", "path=/a/..,mount=/d", "path=/a,mount=/d,readwrite=no"]
        {
            assert!(Volume::parse_folder(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_volume_as_docker_writes_it_can_be_written_to_unless_asked_otherwise() {
        for (text, expected) in [
            ("/raid/x:/d", folder(Access::ReadWrite, None)),
            ("/raid/x:/d:rw", folder(Access::ReadWrite, None)),
            ("/raid/x:/d:ro", folder(Access::ReadOnly, None)),
            ("path=/raid/x,mount=/d", folder(Access::ReadOnly, None)),
        ] {
            assert_eq!(Volume::parse_volume(text).unwrap(), expected, "{text}");
        }
        let nfs = Volume::parse_volume("/x:/d::nfs.example.com").unwrap_err().to_string();
        assert!(nfs.contains("no NFS export") && nfs.contains("--pvc NAME:PATH"), "{nfs}");
        for text in ["", "/a", "a:/b", "/a:b", "/a:/b:rx"] {
            assert!(Volume::parse_volume(text).is_err(), "{text}");
        }
    }
}
