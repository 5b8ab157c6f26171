//! `Options.Target` and `Options.Targets`: the accounts and Regions that a run works in.

use super::bounds::length;
use super::keys::{Keys, quoted};
use crate::place::{ExternalId, OneOf, PLACES_LISTED_MAX, Place, Region, Role, RoleArn};
use crate::policy::decode::Finding;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const TARGET_FORM: &str = r#"{"RoleArn": "arn:aws:iam::111122223333:role/opendlm-target", "Region": "eu-west-1"}"#;
const TARGETS_FORM: &str =
    r#"[{"RoleArn": "arn:aws:iam::111122223333:role/opendlm-target", "Regions": ["eu-west-1"]}]"#;

/// `Target`: the one place of a run, and which of the targets of a split run it is, if it is one.
pub(super) fn read_one(value: &Value, path: &str, errors: &mut Vec<Finding>) -> Option<(Place, Option<OneOf>)> {
    let object = object_of(value, path, TARGET_FORM, errors)?;
    let prefix = format!("{path}.");
    let mut keys = Keys::new(object, &prefix);
    let role = read_role(&mut keys);
    let region = text(&mut keys, "Region", Region::parse, Region::EXPECTED);
    if region.is_none() && !keys.has_errors() {
        keys.error("Region", format!("missing, expected {}", Region::EXPECTED));
    }
    let one_of = read_one_of(&mut keys);
    let findings = keys.finish();
    let is_good = findings.is_empty();
    errors.extend(findings);
    region.filter(|_| is_good).map(|region| (Place { role, region }, one_of))
}

/// `Number` and `Of`, which the answer that splits a run writes.
fn read_one_of(keys: &mut Keys<'_>) -> Option<OneOf> {
    let most = u32::try_from(PLACES_LISTED_MAX).expect("a small number fits");
    let (number, of) = (keys.number("Number", most), keys.number("Of", most));
    match (number, of) {
        (Some(number), Some(of)) if number < of => Some(OneOf { number, of }),
        (None, None) => None,
        _ => {
            let message = "Number and Of belong together and are of an answer that splits a run, expected neither";
            keys.error("Number", message.to_owned());
            None
        }
    }
}

/// How many bytes all targets of a split have at most: what goes from state to state has 262,144, of which these and the
/// event have 105,000, the report 15,000, and the reports of all targets as much again. 275 for each that a list names.
const WRITTEN_LENGTH_MAX: usize = 55_000;

/// `Targets`, or the list of `TargetsFrom`: every place of a run that is split, at most so many, in the order in which they
/// are named.
pub(super) fn read_all(value: &Value, path: &str, places_max: usize, errors: &mut Vec<Finding>) -> Vec<Place> {
    let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
        let message = format!("expected a list such as {TARGETS_FORM} but got {}", quoted(&value.to_string()));
        errors.push(Finding { path: path.to_owned(), message });
        return Vec::new();
    };
    let mut places = Vec::new();
    // Where an account in a Region was named first. Two roles of one account open the same account.
    let mut named: BTreeMap<(Option<String>, Region), usize> = BTreeMap::new();
    for (at, value) in list.iter().enumerate() {
        let path_of_one = format!("{path}[{at}]");
        for (region_at, place) in read_each(value, &path_of_one, errors) {
            let key = (place.account().map(str::to_owned), place.region.clone());
            match named.get(&key) {
                Some(first) => errors.push(Finding {
                    path: format!("{path_of_one}.Regions[{region_at}]"),
                    message: format!("{place} is named by {path}[{first}] already, expected it once"),
                }),
                None => {
                    named.insert(key, at);
                    places.push(place);
                }
            }
        }
    }
    check_size(&places, path, places_max, errors);
    places
}

/// Refuses more places than there is room for, and says where there is more.
fn check_size(places: &[Place], path: &str, places_max: usize, errors: &mut Vec<Finding>) {
    let several = "start the policy with several events, each with some of the targets";
    let advice = if places_max < PLACES_LISTED_MAX {
        format!(
            "put the list into S3 and name it as Options.TargetsFrom, which takes {PLACES_LISTED_MAX}, or {several}"
        )
    } else {
        several.to_owned()
    };
    if places.len() > places_max {
        let count = places.len();
        let message = format!("{count} pairs of account and Region, expected at most {places_max}; {advice}");
        errors.push(Finding { path: path.to_owned(), message });
        return;
    }
    let of = u32::try_from(places.len()).expect("their number was just bounded");
    let length: usize = (0..of).zip(places).map(|(number, place)| length(&written(place, OneOf { number, of }))).sum();
    if length > WRITTEN_LENGTH_MAX {
        let message = format!(
            "the targets have {length} bytes, each with its role and external id, expected at most {WRITTEN_LENGTH_MAX}; {several}"
        );
        errors.push(Finding { path: path.to_owned(), message });
    }
}

/// The places of one entry, each with the index of its Region.
fn read_each(value: &Value, path: &str, errors: &mut Vec<Finding>) -> Vec<(usize, Place)> {
    let Some(object) = object_of(value, path, TARGETS_FORM, errors) else { return Vec::new() };
    let prefix = format!("{path}.");
    let mut keys = Keys::new(object, &prefix);
    let role = read_role(&mut keys);
    let regions = keys.any("Regions");
    let list = regions.and_then(Value::as_array).filter(|list| !list.is_empty());
    if list.is_none() {
        let expected = "a list of at least one Region such as [\"eu-west-1\"]";
        match regions {
            Some(other) => keys.mistyped("Regions", expected, other).unwrap_or_default(),
            None => keys.error("Regions", format!("missing, expected {expected}")),
        }
    }
    let mut places = Vec::new();
    for (at, value) in list.into_iter().flatten().enumerate() {
        match value.as_str().and_then(Region::parse) {
            Some(region) => places.push((at, Place { role: role.clone(), region })),
            None => keys.mistyped(&format!("Regions[{at}]"), Region::EXPECTED, value).unwrap_or_default(),
        }
    }
    errors.extend(keys.finish());
    places
}

fn read_role(keys: &mut Keys<'_>) -> Option<Role> {
    let is_named = keys.any("RoleArn").is_some();
    let arn = text(keys, "RoleArn", RoleArn::parse, RoleArn::EXPECTED);
    let external_id = text(keys, "ExternalId", ExternalId::parse, ExternalId::EXPECTED);
    if external_id.is_some() && !is_named {
        keys.error("ExternalId", "set without RoleArn, expected the role whose trust policy asks for it".to_owned());
    }
    arn.map(|arn| Role { arn, external_id })
}

/// The text at `key`, if it is what `parse` takes.
fn text<T>(keys: &mut Keys<'_>, key: &'static str, parse: fn(&str) -> Option<T>, expected: &str) -> Option<T> {
    let value = keys.any(key)?;
    value.as_str().and_then(parse).or_else(|| keys.mistyped(key, expected, value))
}

fn object_of<'a>(
    value: &'a Value,
    path: &str,
    form: &str,
    errors: &mut Vec<Finding>,
) -> Option<&'a Map<String, Value>> {
    let object = value.as_object();
    if object.is_none() {
        let message = format!("expected an object as in {form} but got {}", quoted(&value.to_string()));
        errors.push(Finding { path: path.to_owned(), message });
    }
    object
}

/// A place as `Target` has it in the answer that splits a run.
pub(super) fn written(place: &Place, one_of: OneOf) -> Value {
    let mut target = Map::new();
    if let Some(role) = &place.role {
        target.insert("RoleArn".to_owned(), json!(role.arn.as_str()));
        if let Some(external_id) = &role.external_id {
            target.insert("ExternalId".to_owned(), json!(external_id.as_str()));
        }
    }
    target.insert("Region".to_owned(), json!(place.region.as_str()));
    target.insert("Number".to_owned(), json!(one_of.number));
    target.insert("Of".to_owned(), json!(one_of.of));
    Value::Object(target)
}

#[cfg(test)]
mod tests;
