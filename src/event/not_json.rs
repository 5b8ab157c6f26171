//! Texts that are something else than JSON: what they are, and what to do about it.

/// What to tell of a text that is not JSON, where it can be seen what it is.
pub(super) fn sentence(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let Some(line) = text.lines().map(str::trim_end).find(|line| !line.is_empty() && !line.starts_with('#')) else {
        return Some("empty, expected a policy or an event as JSON".to_owned());
    };
    if is_terraform(line) {
        let sentence = "this is Terraform code, expected a policy as JSON: once it is applied, aws dlm get-lifecycle-policy \
                        --policy-id policy-... prints it";
        return Some(sentence.to_owned());
    }
    is_yaml(line).then(|| "this is YAML, expected JSON: convert it, as yq -o=json does, and take the result".to_owned())
}

/// The beginning of a block, as in `resource "aws_dlm_lifecycle_policy" "nightly" {`.
fn is_terraform(line: &str) -> bool {
    ["data ", "locals ", "module ", "provider ", "resource ", "terraform ", "variable "]
        .iter()
        .any(|word| line.starts_with(word) && line.ends_with('{'))
}

/// The beginning of a document, an entry of a list, or a key.
fn is_yaml(line: &str) -> bool {
    let is_key = |key: &str| {
        let key = key.trim_matches(['"', '\'']);
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.'))
    };
    let key = line.split_once(": ").map(|(key, _)| key).or_else(|| line.strip_suffix(':'));
    line == "---" || line.starts_with("- ") || line.starts_with("%YAML") || key.is_some_and(is_key)
}

#[cfg(test)]
mod tests {
    use crate::event::json;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = json::read(text.as_bytes()).refusal().unwrap();
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn an_empty_file_is_told_as_one() {
        for text in ["", " \n\t\n", "# nothing but a comment\n"] {
            check(text, "empty, expected a policy or an event as JSON");
        }
    }

    #[test]
    fn yaml_is_converted_first() {
        for text in [
            "Policy:\n  PolicyId: policy-1\n",
            "# a comment\n\n---\nPolicyId: x\n",
            "\"PolicyId\": x\n",
            "- PolicyId: x\n",
            "AWSTemplateFormatVersion: '2010-09-09'\n",
        ] {
            check(text, "this is YAML, expected JSON: convert it, as yq -o=json does");
        }
    }

    #[test]
    fn terraform_code_is_applied_first() {
        check(
            "resource \"aws_dlm_lifecycle_policy\" \"nightly\" {\n",
            "this is Terraform code, expected a policy as JSON",
        );
    }

    #[test]
    fn what_is_nearly_json_is_told_by_its_place() {
        for (text, expected) in [
            ("{\"Policy\": }", "not JSON that can be read: expected value at line 1 column 12"),
            ("{\n\"Policy\": {}", "not JSON that can be read: EOF while parsing an object at line 2 column 12"),
            ("hello there", "not JSON that can be read: expected value at line 1 column 1"),
            ("{'Policy': {}}", "not JSON that can be read: key must be a string at line 1 column 2"),
        ] {
            check(text, expected);
        }
    }
}
