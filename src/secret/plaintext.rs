//! Credentials in plain text where many may read them: in variables and commands of workloads.
//!
//! They are known by their form, or else by the name that they are given. A hit is told by its place and by why it is
//! one, never with its text.

use std::collections::HashSet;

use super::doubt::Doubt;
use super::token_scan::{JSON_WEB_TOKEN, kind_of_token, names_a_key, names_a_secret, normalized};

/// The least length of what its name makes a credential; that of a key of a table or of a cache is a word.
const LEAST: usize = 8;
const LEAST_PASSWORD: usize = 4;
const LEAST_KEY: usize = 16;
/// The least number of digits that are a password, and no number of something.
const LEAST_DIGITS: usize = 6;

/// The least number of different characters in a token: `hf_xxxxxxxxxxxxxxxx` stands in the place of one.
const LEAST_DIFFERENT: usize = 8;

const PASSWORDS: [&str; 5] = ["password", "passwd", "passphrase", "-pass", "-pwd"];

/// The words before `TOKEN` that make it one of a tokenizer, or a number of them.
const OF_TEXT: [&str; 15] = [
    "pad", "eos", "bos", "unk", "cls", "sep", "mask", "stop", "end", "start", "image", "special", "max",
    "min", "num",
];

/// The words that make a key public, or one of a table.
const OF_TABLES: [&str; 8] =
    ["public", "publishable", "primary", "partition", "sort", "cache", "object", "foreign"];

/// Values that are given where a program wants any.
const WORDS: [&str; 20] = [
    "true", "false", "none", "null", "yes", "no", "on", "off", "auto", "default", "enabled", "disabled",
    "empty", "password", "pass", "secret", "token", "dummy", "fake", "test",
];

/// The beginnings of what says where the value is.
const REFERRING: [&str; 17] = [
    "$", "/", "./", "../", "~/", "<", "-", "{", "[", "`", "secret:", "vault:", "arn:", "file:", "env:",
    "ref+", "ssm:",
];

/// The beginnings of the kinds of tokens, and the usual names of their secrets.
const SERVICES: [(&str, &str); 10] = [
    ("Hugging Face", "hf"),
    ("Weights & Biases", "wandb"),
    ("Anthropic", "anthropic"),
    ("OpenAI", "openai"),
    ("AWS", "aws"),
    ("GitHub", "github"),
    ("GitLab", "gitlab"),
    ("Slack", "slack"),
    ("NVIDIA", "nvidia"),
    ("Docker", "docker"),
];

/// The reason why a text is taken for a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Suspicion {
    /// It has the form of a token of this kind.
    Token(&'static str),
    PrivateKey,
    /// It is an address with a password in it.
    Address,
    /// Its name is that of a credential.
    Name,
}

impl Suspicion {
    /// Returns what it is; none if only its name says that it is something.
    pub(crate) fn kind(self) -> Option<&'static str> {
        match self {
            Self::Token(kind) => Some(kind),
            Self::PrivateKey => Some("private key"),
            Self::Address => Some("address with a password"),
            Self::Name => None,
        }
    }
}

/// Judges what a variable or a flag of this name is set to.
pub(crate) fn suspicion(name: &str, value: &str) -> Option<Suspicion> {
    let value = value.trim();
    by_form(name, value).or_else(|| is_named_so(name, value).then_some(Suspicion::Name))
}

/// Finds credentials in the words of a command, or in the scripts that they are: each with the flag or the variable
/// that it belongs to, if there is one.
pub(crate) fn in_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<(Option<&'w str>, Suspicion)> {
    let mut found = Vec::new();
    let mut flag = None;
    for word in words {
        if word.contains("PRIVATE KEY-----") && by_form("", word) == Some(Suspicion::PrivateKey) {
            found.push((flag.take(), Suspicion::PrivateKey));
            continue;
        }
        let is_script = word.contains(char::is_whitespace);
        for part in word.split_ascii_whitespace() {
            let bare = part.trim_matches(['"', '\'', ';', ',', '(', ')']);
            let (name, value) = match bare.split_once('=') {
                Some((name, value)) if is_name(name) => (Some(name), value.trim_matches(['"', '\''])),
                _ => (flag, bare),
            };
            let why = suspicion(name.unwrap_or_default(), value);
            if let Some(why) = why.filter(|why| *why != Suspicion::Name || !is_script || is_no_code(value)) {
                found.push((name, why));
            }
            flag = Some(bare).filter(|word| word.starts_with('-') && is_name(word));
        }
    }
    found
}

/// Returns the usual name of a secret for the value of a variable: after the service whose token it is, or else after
/// the variable.
pub(crate) fn usual_name(variable: &str, value: &str) -> String {
    let service = kind_of_token(variable, value.trim())
        .and_then(|kind| SERVICES.iter().find_map(|(start, name)| kind.starts_with(start).then_some(*name)));
    let words = variable.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    service.map_or_else(|| words.collect::<Vec<_>>().join("-").to_lowercase(), str::to_owned)
}

/// Returns true for a name that can be told: it is no value.
pub(crate) fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&text.len()) && text.chars().all(is_part) && kind_of_token("", text).is_none()
}

fn by_form(name: &str, value: &str) -> Option<Suspicion> {
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----") {
        return Some(Suspicion::PrivateKey);
    }
    // A token may stand in JSON, in an address, or after a flag.
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let pieces = value.split(|c: char| !is_part(c));
    if let Some(kind) = pieces.filter(|piece| is_varied(piece)).find_map(|piece| token_of(name, piece)) {
        return Some(Suspicion::Token(kind));
    }
    value.split_ascii_whitespace().any(has_password).then_some(Suspicion::Address)
}

/// Returns the kind of a token; what begins like a JSON Web Token and has no three parts is any JSON.
fn token_of(name: &str, piece: &str) -> Option<&'static str> {
    let is_whole = || piece.split('.').filter(|part| !part.is_empty()).count() == 3;
    kind_of_token(name, piece).filter(|kind| *kind != JSON_WEB_TOKEN || is_whole())
}

fn is_varied(piece: &str) -> bool {
    piece.len() >= LEAST_DIFFERENT && piece.chars().collect::<HashSet<_>>().len() >= LEAST_DIFFERENT
}

/// Recognizes `postgres://user:password@host`.
fn has_password(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(user, _)| Some(user.split_once(':')?.1));
    !scheme.is_empty() && password.is_some_and(|password| !password.is_empty() && stands_for_itself(password))
}

/// Returns true for a literal, and not for a placeholder, a path, a reference or a word that says nothing.
fn stands_for_itself(value: &str) -> bool {
    let lower = value.to_lowercase();
    let is_referring = REFERRING.iter().any(|start| lower.starts_with(start));
    let is_path = value.contains('/')
        && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/.-_#".contains(c));
    let is_placeholder = Doubt::of(value.as_bytes()) == Some(Doubt::Placeholder);
    !is_referring
        && !is_path
        && !is_placeholder
        && !WORDS.contains(&lower.as_str())
        && !value.contains(char::is_whitespace)
        && !["$(", "${", "://"].iter().any(|mark| value.contains(mark))
}

fn is_named_so(name: &str, value: &str) -> bool {
    if value.len() < LEAST_PASSWORD || !stands_for_itself(value) {
        return false;
    }
    let name = normalized(name);
    let has = |sort: fn(&u8) -> bool| value.as_bytes().iter().any(sort);
    let (digit, letter) = (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic));
    let is_mixed = letter && (digit || (has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)));
    let is_number = value.parse::<f64>().is_ok();
    if name == "pass" || PASSWORDS.iter().any(|end| name.ends_with(end)) {
        return !is_number || (value.len() >= LEAST_DIGITS && !letter && !value.contains(['.', '-', '+']));
    }
    if is_number || value.len() < LEAST {
        return false;
    }
    if names_a_secret(&name) {
        let is_of_text = name.strip_suffix("-token").is_some_and(|before| {
            OF_TEXT.contains(&before.rsplit_once('-').map_or(before, |(_, word)| word))
        });
        // The name of a secret, which is no secret.
        let is_a_name = value.len() < LEAST_KEY
            && has_form_of_name(value)
            && (name.ends_with("secret") || value.contains(['-', '.']));
        return is_mixed && !is_of_text && !is_a_name;
    }
    let is_of_table = name.split('-').any(|word| OF_TABLES.contains(&word));
    names_a_key(&name) && !is_of_table && is_random(value)
}

/// Recognizes `web-tls-2`.
fn has_form_of_name(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}

/// Recognizes digests, and base64 or the like of random bytes.
fn is_random(value: &str) -> bool {
    let bytes = value.as_bytes();
    let all = |sort: fn(&u8) -> bool| bytes.iter().all(sort);
    let any = |sort: fn(&u8) -> bool| bytes.iter().any(sort);
    let is_digest = bytes.len() >= 2 * LEAST_KEY && all(u8::is_ascii_hexdigit) && any(u8::is_ascii_digit);
    let is_mixed = any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase) && any(u8::is_ascii_digit);
    let is_of_base64 = all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte));
    // A path has slashes too, and no other sign of base64.
    let is_path = value.contains('/') && !value.contains(['+', '=']) && bytes.len() != 40;
    bytes.len() >= LEAST_KEY && (is_digest || (is_mixed && is_of_base64 && !is_path))
}

/// Returns true unless the value may be an expression of a program, such as `os.environ["X"]` or `args.token_2`.
fn is_no_code(value: &str) -> bool {
    let is_identifier = value.contains(['_', '.'])
        && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'));
    !is_identifier
        && !value.contains(['(', ')', '[', ']', '{', '}', '"', '\'', '<', '>', '|', ';', '$', '`', ','])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

    #[test]
    fn a_credential_is_known_by_its_form_whatever_its_name() {
        let token = Suspicion::Token;
        for (name, value, why) in [
            ("X", "hf_abcdefghijklmnopqrst", token("Hugging Face token")),
            ("X", " hf_abcdefghijklmnopqrst\n", token("Hugging Face token")),
            ("X", "AKIAIOSFODNN7EXAMPLE", token("AWS access key ID")),
            ("X", "ghp_abcdefghijklmnop0123456789ABCDEFGHIJ", token("GitHub personal access token")),
            ("X", "glpat-Ab3dEf6hIj9kLm2oPq5r", token("GitLab personal access token")),
            ("X", JWT, token("JSON Web Token")),
            ("WANDB", "0123456789abcdef0123456789abcdef01234567", token("Weights & Biases API key")),
            ("OPTS", "--lr=1 --token=hf_abcdefghijklmnopqrst", token("Hugging Face token")),
            ("CONFIG", r#"{"token":"hf_abcdefghijklmnopqrst"}"#, token("Hugging Face token")),
            (
                "REPO",
                "https://x:ghp_abcdefghijklmnop0123456789@github.com/a/b",
                token("GitHub personal access token"),
            ),
            (
                "KEY",
                "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                Suspicion::PrivateKey,
            ),
            ("DATABASE_URL", "postgres://app:hunter2@db:5432/x", Suspicion::Address),
            ("OPTS", "-x redis://:hunter2@cache", Suspicion::Address),
        ] {
            assert_eq!(suspicion(name, value), Some(why), "{name}={value}");
        }
    }

    #[test]
    fn a_credential_is_known_by_its_name_if_its_value_can_be_one() {
        for (name, value) in [
            ("HF_TOKEN", "N0t-of-any-form"),
            ("HF_TOKEN", "n0t-of-any-form-that-is-known"),
            ("DB_PASSWORD", "hunter"),
            ("DB_PASSWORD", "12345678"),
            ("PGPASSWORD", "hunter2"),
            ("REDIS_PASS", "hunter2"),
            ("CLIENT_SECRET", "Zm9vYmFyCg"),
            ("CLIENT_SECRET", "abcdefgh12345678"),
            ("OPENAI_API_KEY", "abcdefgh12345678ABCD"),
            ("apiKey", "abcdefgh12345678ABCD"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("FERNET_KEY", "abcdefgh12345678ABCD/+A="),
            ("KAGGLE_KEY", "0123456789abcdef0123456789abcdef"),
        ] {
            assert_eq!(suspicion(name, value), Some(Suspicion::Name), "{name}={value}");
        }
    }

    #[test]
    fn what_stands_for_something_else_is_none() {
        for (name, value) in [
            ("HF_TOKEN", ""),
            ("HF_TOKEN", "$(OTHER)"),
            ("HF_TOKEN", "${OTHER}"),
            ("HF_TOKEN", "SECRET:hf,HF_TOKEN1"),
            ("AWS_SECRET_ACCESS_KEY", "SECRET:aws,key"),
            ("HF_TOKEN", "REPLACE_ME"),
            ("HF_TOKEN", "<your-token>"),
            ("HF_TOKEN", "hf_xxxxxxxxxxxxxxxxxxxxxxxx"),
            ("HF_TOKEN", "hf_your_token_goes_here"),
            ("HF_TOKEN", "/run/secrets/hf-token-1"),
            ("HF_TOKEN", "secret/data/hf1/token"),
            ("HF_TOKEN", "vault:secret/data/hf#token1"),
            ("HF_TOKEN_PATH", "t0ken-of-somebody"),
            ("HF_TOKEN_FILE", "t0ken-of-somebody"),
            ("DB_PASSWORD_FILE", "/etc/db/password"),
            ("DB_PASSWORD", "/etc/db/password"),
            ("DB_PASSWORD", "password"),
            ("DB_PASSWORD", "1"),
            ("RESET_PASSWORD", "true"),
            ("USE_TOKEN", "true"),
            ("PAD_TOKEN", "<pad>"),
            ("EOS_TOKEN", "EndOfText1"),
            ("MAX_TOKENS", "4096"),
            ("MAX_TOKEN", "12345678"),
            ("TOKENIZERS_PARALLELISM", "false"),
            ("TOKENIZER", "gpt2-with-a-long-name-1"),
            ("SECRET_NAME", "hf"),
            ("TLS_SECRET", "web-tls-2"),
            ("HF_TOKEN", "hf-token-v2"),
            ("CLIENT_SECRET", "client2024"),
            ("OPENAI_API_KEY", "EMPTY"),
            ("OPENAI_API_KEY", "not-needed"),
            ("OPENAI_API_KEY", "sk-no-key-required"),
            ("PRIMARY_KEY", "id"),
            ("SSH_PUBLIC_KEY", "AAAAC3NzaC1lZDI1NTE5AAAAIJ"),
            ("CACHE_KEY", "the-key-of-the-cache-1"),
            ("S3_KEY", "Datasets/Train/Part1"),
            ("MONKEY", "abcdefgh12345678ABCD"),
            ("CONFIG", "eyJhbGciOiJIUzI1NiJ9abcdefgh"),
            ("URL", "https://example.test/a:b@c"),
            ("URL", "https://user@example.test/"),
            ("URL", "https://user:$PASSWORD@example.test/"),
            ("URL", "https://user:$(PASSWORD)@example.test/"),
            ("URL", "https://user:<password>@example.test/"),
            ("CERT", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ] {
            assert_eq!(suspicion(name, value), None, "{name}={value}");
        }
    }

    #[test]
    fn a_secret_is_named_after_the_service_or_the_variable() {
        for (variable, value, name) in [
            ("TOKEN", "hf_abcdefghijklmnopqrst", "hf"),
            ("WANDB_API_KEY", "0123456789abcdef0123456789abcdef01234567", "wandb"),
            ("DB_PASSWORD", "hunter2", "db-password"),
            ("_my.app__KEY", "x", "my-app-key"),
            ("_", "x", ""),
        ] {
            assert_eq!(usual_name(variable, value), name, "{variable}");
        }
    }

    #[test]
    fn in_a_command_the_flag_or_the_variable_is_named() {
        let found = |words: &[&'static str]| in_words(words.iter().copied());
        for (words, name) in [
            (&["run", "--token", "hunter-Tw0"][..], Some("--token")),
            (&["run", "--db_password=hunter2"], Some("--db_password")),
            (&["sh", "-c", "export HF_TOKEN='hunter-Tw0'; run"], Some("HF_TOKEN")),
            (&["curl -H 'Authorization: Bearer hf_abcdefghijklmnopqrst'"], None),
            (&["psql", "postgres://a:hunter2@h/x?a=b"], None),
            (&["run", "--key", "-----BEGIN PRIVATE KEY-----\nA B\n-----END PRIVATE KEY-----"], Some("--key")),
            (&["run", "hf_abcdefghijklmnopqrst=x"], None),
        ] {
            let found = found(words);
            assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [name], "{words:?}");
        }
        for harmless in [
            &["python", "train.py", "--max-tokens=100", "--tokenizer", "gpt2"][..],
            &["run", "--token=$HF_TOKEN", "--password", "/etc/db/password", "--token", "--verbose"],
            &["run", "--token", "$(HF_TOKEN)"],
            &["python", "-c", "token = os.environ['HF_TOKEN']\nlogin(token=token_2, password=args.password)"],
            &["sh", "-c", "TOKEN=$(cat /etc/token1) run --token \"$TOKEN\""],
        ] {
            assert_eq!(found(harmless), [], "{harmless:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic_and_none_of_it_is_told(name in any::<String>(), value in "\\PC{0,40}") {
            let _ = in_words([name.as_str(), value.as_str()]);
            let told = suspicion(&name, &value).and_then(Suspicion::kind).unwrap_or_default();
            prop_assert!(value.len() < 12 || !told.contains(&value));
        }
    }
}
