//! Heuristics for credentials in public places: the name of a key, the command of a job.
//!
//! A hit only warns, and its text is never printed.

/// The prefixes of tokens, each with what such a token is. Of two that fit, the first is meant.
const TOKENS: [(&str, &str); 24] = [
    ("hf_", "Hugging Face token"),
    ("wandb_v1_", "Weights & Biases API key"),
    ("sk-ant-", "Anthropic API key"),
    ("sk-proj-", "OpenAI API key"),
    ("sk-", "API key in the form of OpenAI's"),
    ("AKIA", "AWS access key ID"),
    ("ASIA", "AWS access key ID, temporary"),
    ("ghp_", "GitHub personal access token"),
    ("github_pat_", "GitHub fine-grained access token"),
    ("gho_", "GitHub OAuth token"),
    ("ghu_", "GitHub user token of an app"),
    ("ghs_", "GitHub installation token, temporary"),
    ("ghr_", "GitHub refresh token"),
    ("glpat-", "GitLab personal access token"),
    ("xoxb-", "Slack bot token"),
    ("xoxp-", "Slack user token"),
    ("nvapi-", "NVIDIA API key"),
    ("AIza", "Google API key"),
    ("dckr_pat_", "Docker personal access token"),
    ("dop_v1_", "DigitalOcean access token"),
    ("AKCp", "JFrog API key"),
    ("npm_", "npm access token"),
    ("pypi-", "PyPI token"),
    (SIGNED, JSON_WEB_TOKEN),
];
pub(super) const JSON_WEB_TOKEN: &str = "JSON Web Token";
/// The start of signed JSON: `{"` in base64.
const SIGNED: &str = "eyJ";
/// The least number of characters after a prefix.
const LENGTH_OF_TOKEN: usize = 16;

/// The endings of variable and flag names whose values are secret; in lower case, with dashes.
const SECRET_NAMES: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "api-key",
    "access-key",
    "secret-key",
    "private-key",
];

const QUOTES: [char; 2] = ['"', '\''];

/// Returns true if a text looks like a token, and not like a word such as `hf_token_for_the_models`.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    token_of(text).is_some()
}

/// Returns what a value is by its form, or by that and the name of its key.
pub(super) fn kind_of_token(key: &str, text: &str) -> Option<&'static str> {
    // Weights & Biases had no prefix until 2025.
    let is_digest = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest && key.to_lowercase().contains("wandb") {
        return Some("Weights & Biases API key");
    }
    token_of(text)
}

fn token_of(text: &str) -> Option<&'static str> {
    // Signed JSON has three parts.
    let first = text.split('.').next().unwrap_or_default();
    let (rest, kind) = TOKENS.iter().find_map(|(start, kind)| Some((first.strip_prefix(start)?, *kind)))?;
    let has = |sort: fn(&char) -> bool| rest.chars().any(|char| sort(&char));
    let is_mixed =
        has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase) && has(char::is_ascii_digit);
    let is_part = |char: char| char.is_ascii_alphanumeric() || (is_mixed && matches!(char, '-' | '_'));
    (rest.len() >= LENGTH_OF_TOKEN && rest.chars().all(is_part)).then_some(kind)
}

/// Returns the words of a command, or variables with their values, with `…` in place of anything that looks
/// like a secret.
pub(crate) fn without_secrets(words: &[String]) -> Vec<String> {
    let mut is_value = false;
    let mut shown = Vec::new();
    for word in words {
        let is_one = is_value || assigns_a_secret(word);
        // Any other word may be a script.
        let parts = if is_one { vec![word.as_str()] } else { word.split(' ').collect() };
        let mut kept = Vec::new();
        for part in parts {
            kept.push(part_without_secrets(part, is_value));
            is_value = part.starts_with('-') && names_a_secret(part);
        }
        shown.push(kept.join(" "));
    }
    shown
}

fn assigns_a_secret(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| names_a_secret(name))
}

/// Replaces the secrets in one part. `is_value` is true after a flag that takes a secret.
fn part_without_secrets(part: &str, is_value: bool) -> String {
    match part.split_once('=') {
        Some((name, value))
            if looks_like_a_token(value.trim_matches(QUOTES))
                || (names_a_secret(name) && stands_for_itself(value)) =>
        {
            format!("{name}=…")
        }
        _ if looks_like_a_token(part.trim_matches(QUOTES)) || (is_value && stands_for_itself(part)) => {
            "…".to_owned()
        }
        _ => part.to_owned(),
    }
}

/// Returns true for the name of a variable or a flag whose value is secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    let name = normalized(name);
    SECRET_NAMES.iter().any(|end| ends_in(&name, end))
}

/// Returns true for the name of a variable or a flag whose value is a key, secret or not.
pub(super) fn names_a_key(name: &str) -> bool {
    ends_in(&normalized(name), "key")
}

/// Returns a name in lower case, with a dash between its words; empty if it is none.
pub(super) fn normalized(name: &str) -> String {
    let name = name.trim_matches(QUOTES);
    if !name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')) {
        return String::new();
    }
    let mut words = String::new();
    let mut before = '-';
    for char in name.chars() {
        if before.is_ascii_lowercase() && char.is_ascii_uppercase() {
            words.push('-');
        }
        words.push(if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' });
        before = char;
    }
    words
}

fn ends_in(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
}

/// Returns true for a literal: not a variable, a file, a word such as `<pad>`, or the next flag.
fn stands_for_itself(value: &str) -> bool {
    let value = value.trim_matches(QUOTES);
    !value.is_empty() && !value.starts_with(['$', '/', '<', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_a_name() {
        for token in [
            "hf_abcdefghijklmnopqrst",
            "sk-0123456789abcdef",
            "sk-proj-Ab3dEf6h-Ij9kLm2o",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        ] {
            assert!(looks_like_a_token(token), "{token}");
        }
        for name in
            ["HF_TOKEN", "hf_token", "hf_token_for_the_models", "hf_transformers", "sk-learn.yaml", "tls.crt"]
        {
            assert!(!looks_like_a_token(name), "{name}");
        }
    }

    #[test]
    fn a_command_is_shown_without_what_looks_like_a_secret() {
        for (command, shown) in [
            ("python run.py --token hf_abcdefghijklmnopqrst", "python run.py --token …"),
            ("curl -H|Authorization: Bearer 'hf_abcdefghijklmnopqrst'", "curl -H|Authorization: Bearer …"),
            (
                "env|HF_TOKEN=abc|WANDB_API_KEY=x y|--password|x y",
                "env|HF_TOKEN=…|WANDB_API_KEY=…|--password|…",
            ),
            ("sh -c|export PASSWORD=\"hunter2\"; run", "sh -c|export PASSWORD=… run"),
            ("run --password=hunter2 --db_password hunter2 -v", "run --password=… --db_password … -v"),
        ] {
            let words: Vec<String> = command.split('|').map(ToOwned::to_owned).collect();
            assert_eq!(without_secrets(&words).join("|"), shown);
        }
        for harmless in [
            "python train.py --max-tokens=100 --tokenizer gpt2 --pad-token=<pad>",
            "run --token=$HF_TOKEN EPOCHS=10 --password /etc/db/password --token --verbose TOKEN=",
            "sh -c curl -H \"Bearer $HF_TOKEN\"",
        ] {
            assert_eq!(without_secrets(&[harmless.to_owned()]), [harmless]);
        }
    }
}
