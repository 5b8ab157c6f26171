//! What the definition of a state machine says of its stack.

use serde_json::Value;

/// The definition that this version deploys.
const DEFINITION: &str = include_str!("../../statemachine/opendlm.asl.json");

/// What a stack has filled into the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The function, by its ARN.
    pub function: String,
    /// The topic that the mails go to; none before opendlm told of failures by itself.
    pub topic: Option<String>,
    /// Whether the definition is the one of this version.
    pub is_of_this_version: bool,
}

/// Reads a definition; none of what is not opendlm's.
#[must_use]
pub fn read(definition: &Value, machine_arn: &str) -> Option<Filled> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
    let function = text("/States/Turn/Parameters/FunctionName")?;
    let topic = text("/States/Mail/Parameters/TopicArn");
    let run_events = text("/States/Finished/Result/RunEvents").unwrap_or_default();
    let partition = machine_arn.split(':').nth(1).unwrap_or("aws");
    let filled_in = [
        ("${FunctionArn}", function),
        ("${TopicArn}", topic.unwrap_or_default()),
        ("${RunEvents}", run_events),
        ("${Partition}", partition),
    ];
    let ours = filled_in.iter().fold(DEFINITION.to_owned(), |text, (name, value)| text.replace(name, value));
    let is_of_this_version = serde_json::from_str::<Value>(&ours).is_ok_and(|ours| ours == *definition);
    Some(Filled { function: function.to_owned(), topic: topic.map(str::to_owned), is_of_this_version })
}
