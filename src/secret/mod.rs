//! Secrets: sources of values, names and keys, and the bytes that are sent.
//!
//! Everything here works without a cluster and without a terminal, so that each rule can be tested on its own
//! and a mistake is found before anything is sent. Values stay in [`value::SecretValue`] from the first byte
//! read to the request's body; no error and no note made here holds one.

mod argument;
mod builtin_type;
mod changes;
mod contents;
mod credential;
mod declared;
mod difference;
mod docker_config;
mod dotenv;
mod doubt;
mod env_file;
mod field_text;
#[cfg(test)]
mod fuzz;
mod generated;
mod go_base64;
mod go_json;
mod handling;
mod hash;
mod identity;
mod input;
mod inspection;
mod key_pair;
mod manifest;
mod map;
mod name;
mod operators;
mod origin;
mod pem;
mod plaintext;
mod reading;
mod reference;
mod reveal;
mod single_value;
mod source;
mod ssh;
pub(crate) mod string_data;
mod tls;
mod token_scan;
mod unseen;
mod value;
mod value_summary;

pub(crate) use argument::entries as paths;
pub(crate) use builtin_type::{
    DOCKER_CONFIG, OLD_DOCKER_CONFIG, SERVICE_ACCOUNT_TOKEN, SSH, TLS, TYPES, check_keys, check_values,
    doubts, judged_keys, missing_keys,
};
pub(crate) use changes::Changes;
pub(crate) use contents::{Contents, Cure, Suspect};
pub(crate) use credential::{CREDENTIAL_LABEL, Credential, access_key_contents, password_contents};
pub(crate) use declared::{Declared, DeclaredPlaces, DeclaredSecret, FILE_ADOPTED, FILE_LABEL, FILE_OF};
pub(crate) use difference::{Difference, Fate};
pub(crate) use docker_config::{DOCKER_HUB, Login, contents_of_file, contents_of_logins, is_docker_hub};
pub(crate) use doubt::Doubt;
pub(crate) use field_text::FieldText;
pub(crate) use generated::value as made_up;
pub(crate) use go_base64::{decoded as decoded_base64, decoded_auth};
pub(crate) use handling::{Handling, Nothing, Trimming};
pub(crate) use hash::name_with_hash;
pub(crate) use identity::{End, Ending, Identity};
pub(crate) use input::{Input, ProcessInput};
pub(crate) use inspection::{Inspection, ValueFacts, is_the_servers};
pub(crate) use key_pair::{
    CertificateFacts, KeyForm, Match, certificate as certificate_facts, compare as compare_key, key_form,
};
pub(crate) use manifest::{LOGIN_LABEL, SecretManifest, patch_of_changes, patch_of_values};
pub(crate) use name::{
    check_annotation_key, check_key, check_label_key, check_label_value, check_namespace, check_secret_name,
    is_env_name, is_key, is_label, is_newer_env_name, is_secret_name, is_subdomain, key_of_pair,
    legal_key_near, legal_name_near, legal_variable_near, may_be_a_value, quoted, with_suffix,
};
pub(crate) use operators::{Made, made_by, may_make_secrets};
pub(crate) use origin::{Origin, reading};
pub(crate) use pem::{Block as PemBlock, blocks as pem_blocks};
pub(crate) use plaintext::{Suspicion, in_words, is_name as may_be_told, suspicion, usual_name};
pub(crate) use reading::{check_standard_input, read};
pub(crate) use reference::{EnvEntry, SecretReference, meant_reference};
pub(crate) use reveal::{Notation, as_kubectls, revealed};
pub(crate) use single_value::{Single, SingleValue};
pub(crate) use source::Source;
pub(crate) use ssh::{Audience, SshFiles, ssh_contents};
pub(crate) use tls::tls_contents;
pub(crate) use token_scan::{looks_like_a_token, without_secrets};
pub(crate) use unseen::{foreign_encoding, has_unseen, is_blank, unseen_in, without_unseen_ends};
pub(crate) use value::SecretValue;
pub(crate) use value_summary::{ValueSummary, is_text, size};
