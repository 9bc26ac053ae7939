//! What a secret is: where its values come from, which names and keys it may have, and the bytes it is sent as.
//!
//! Everything here works without a cluster and without a terminal, so that each rule can be tested on its own and a
//! mistake is found before anything is sent. Values stay in [`value::SecretValue`] from the first byte read to the request's
//! body; no error and no note made here holds one.

mod argument;
mod contents;
mod env_file;
mod go_json;
mod hash;
mod input;
mod manifest;
mod name;
mod reference;
mod source;
mod value;

pub(crate) use hash::name_with_hash;
pub(crate) use input::ProcessInput;
pub(crate) use manifest::SecretManifest;
pub(crate) use name::{
    check_annotation_key, check_label_key, check_label_value, check_namespace, check_secret_name,
    is_env_name, is_key, is_label, is_subdomain,
};
pub(crate) use reference::EnvEntry;
pub(crate) use source::{Source, read};
pub(crate) use value::SecretValue;
