//! Whoever changes the log behind the program's back, or the bundle afterwards, is found, at the very place, and by
//! both verifiers.

use events::Ledger;
use proof::{bundle::files, row::GENESIS};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::{
    files::{Files, write_zip},
    honest::steps,
    python::{Bench, Said},
    world::{Step, World, patient},
};

/// What somebody does to a world.
type Attack = fn(&mut World);

/// Eight events with checkpoints at sizes 1, 4 and 8, two accesses.
fn honest() -> World {
    use Step::*;
    World::after(&[
        Checkpoint,
        Event(1),
        Event(0),
        Access,
        Event(2),
        Checkpoint,
        Elsewhere,
        Event(0),
        Event(1),
        Event(0),
        Access,
        Event(3),
    ])
}

/// What is said of a bundle of what has become of an honest world.
fn said_of(attack: impl FnOnce(&mut World)) -> Said {
    let honest = honest();
    let mut attacked = honest.clone();
    attack(&mut attacked);
    let mut bench = Bench::of(&honest);
    bench.add(&Files::of_clinic(&attacked, 1));
    bench.verify().remove(0)
}

/// Both with anchors and without, the first finding is this.
#[track_caller]
fn assert_found(said: &Said, first: Value) {
    for said in said {
        assert_eq!(said["findings"][0], first, "{said}");
        assert_eq!(said["outcome"], "not_intact");
    }
}

#[test]
fn a_changed_row_is_found_at_its_position() {
    let changes: [(&str, Attack); 8] = [
        ("payload", |world| world.ours[0][6].payload[0] ^= 1),
        ("sealed", |world| world.ours[0][6].sealed.as_mut().unwrap()[40] ^= 1),
        ("actor_name", |world| world.ours[0][6].actor_name = "ravi".into()),
        ("recorded_at", |world| world.ours[0][6].recorded_at += chrono::TimeDelta::microseconds(1)),
        ("patient_version", |world| world.ours[0][6].patient_version = None),
        ("payload_hash", |world| world.ours[0][6].payload_hash[0] ^= 1),
        ("previous_hash", |world| world.ours[0][6].previous_hash[0] ^= 1),
        ("hash", |world| world.ours[0][6].hash[0] ^= 1),
    ];
    for (column, change) in changes {
        let said = said_of(change);
        assert_found(&said, json!({"ledger": "record", "verdict": "altered_at", "position": 7}));
        assert_eq!(said[0]["findings"].as_array().unwrap().len(), 1, "{column}");
    }
}

#[test]
fn a_change_behind_a_row_that_is_withheld_is_found_too() {
    let changes: [Attack; 2] =
        [|world| world.ours[0][4].payload[0] ^= 1, |world| world.ours[0][4].payload_hash[0] ^= 1];
    for change in changes {
        assert_found(&said_of(change), json!({"ledger": "record", "verdict": "altered_at", "position": 5}));
    }
}

#[test]
fn rows_that_were_dropped_swapped_or_inserted_are_found() {
    let dropped = said_of(|world| _ = world.ours[0].remove(4));
    assert_found(&dropped, json!({"ledger": "record", "verdict": "gap_at", "position": 5}));
    let swapped = said_of(|world| world.ours[0].swap(4, 5));
    assert_found(&swapped, json!({"ledger": "record", "verdict": "gap_at", "position": 5}));
    let exchanged = said_of(|world| {
        world.ours[0].swap(4, 5);
        (world.ours[0][4].position, world.ours[0][5].position) = (5, 6);
    });
    assert_found(&exchanged, json!({"ledger": "record", "verdict": "altered_at", "position": 5}));
    let inserted = said_of(|world| {
        let row = world.ours[1][0].clone();
        world.ours[1].insert(1, row);
    });
    assert_found(&inserted, json!({"ledger": "access", "verdict": "altered_at", "position": 1}));
}

#[test]
fn a_tail_rewritten_with_a_right_chain_is_found_between_two_checkpoints() {
    let rewritten = said_of(|world| {
        world.ours[0][5].actor_name = "ravi".into();
        world.rechain(Ledger::Record);
    });
    assert_found(&rewritten, json!({"ledger": "record", "verdict": "altered_between", "after": 4, "up_to": 8}));
}

#[test]
fn a_tail_that_was_cut_off_is_found() {
    let cut = said_of(|world| world.ours[0].truncate(6));
    assert_found(&cut, json!({"ledger": "record", "verdict": "cut_off_after", "position": 6}));
    // Together with the checkpoints that knew of it: then only the anchors know.
    let [alone, anchored] = said_of(|world| {
        world.ours[0].truncate(6);
        world.ours[1].truncate(1);
        world.checkpoints.truncate(2);
    });
    assert_eq!(alone["outcome"], "intact");
    assert_eq!(anchored["findings"][0], json!({"ledger": "record", "verdict": "cut_off_after", "position": 6}));
}

#[test]
fn an_old_copy_that_was_put_back_and_went_on_differs_from_the_anchors() {
    let honest = honest();
    // Of the time of the second checkpoint; then other things happened, and the same key signed them.
    use Step::*;
    let mut copy = World::after(&[Checkpoint, Event(1), Event(0), Access, Event(2)]);
    for step in [Event(3), Event(3), Access, Event(0), Event(1), Access, Checkpoint] {
        copy.take(step);
    }
    copy.now = honest.now;
    let [alone, anchored] = {
        let mut bench = Bench::of(&honest);
        bench.add(&Files::of_clinic(&copy, 1));
        bench.verify().remove(0)
    };
    assert_eq!(alone["outcome"], "intact", "by itself it is a clinic like any other: {alone}");
    assert_eq!(anchored["outcome"], "not_intact");
    let findings = anchored["findings"].as_array().unwrap();
    assert!(findings.contains(&json!({"verdict": "checkpoint_differs", "number": 3})), "{anchored}");
}

#[test]
fn a_world_that_was_signed_anew_with_another_key_is_trusted_by_nobody() {
    let honest = honest();
    let mut forged = World::new(9);
    for step in [Step::Event(0), Step::Checkpoint, Step::Event(3), Step::Checkpoint, Step::Event(3), Step::Checkpoint] {
        forged.take(step);
    }
    forged.now = honest.now;
    let mut bench = Bench::of(&honest);
    bench.add(&Files::of_clinic(&forged, 1));
    // The known key beside the forged one changes nothing: it has signed none of them.
    let mut claimed = forged.clone();
    claimed.keys.push(honest.keys[0]);
    bench.add(&Files::of_clinic(&claimed, 1));
    bench.add(&Files::of_patients(&claimed, &[patient(3)]));
    for [alone, anchored] in bench.verify() {
        let untrusted = json!({"verdict": "checkpoint_untrusted", "number": 3});
        let findings = alone["findings"].as_array().unwrap();
        assert!(findings.contains(&untrusted), "{alone}");
        let differs = json!({"verdict": "checkpoint_differs", "number": if alone["kind"] == "clinic" { 1 } else { 3 }});
        assert!(anchored["findings"].as_array().unwrap().contains(&differs), "{anchored}");
    }
}

#[test]
fn a_checkpoint_that_was_taken_out_is_missing() {
    let honest = honest();
    let mut files = Files::of_clinic(&honest, 1);
    let kept: Vec<u8> = lines_of(&files, files::CHECKPOINTS).remove(1).1;
    files.content.insert(files::CHECKPOINTS, kept);
    let mut bench = Bench::of(&honest);
    bench.add(&files);
    for said in bench.verify().remove(0) {
        assert_eq!(said["findings"], json!([{"verdict": "checkpoint_missing", "number": 2}]));
    }
}

#[test]
fn an_event_left_out_of_a_chart_is_named_by_its_number() {
    let honest = honest();
    let patients = [patient(0)];
    let whole = Files::of_patients(&honest, &patients);
    let mut bench = Bench::of(&honest);
    let count = lines_of(&whole, files::RECORD).len();
    assert_eq!(count, 4);
    for n in 0..count {
        let mut files = whole.clone();
        files.content.insert(files::RECORD, lines_of(&whole, files::RECORD).remove(n).1);
        files.content.insert(files::PROOFS, lines_of(&whole, files::PROOFS).remove(n).1);
        bench.add(&files);
    }
    for (version, said) in (1..).zip(bench.verify()) {
        let patient = patients[0].0;
        let missing =
            json!({"ledger": "record", "verdict": "event_missing", "patient": patient, "patient_version": version});
        assert_found(&said, missing);
    }
}

#[test]
fn a_key_of_another_event_opens_nothing() {
    let honest = honest();
    let mut files = Files::of_clinic(&honest, 1);
    let text = String::from_utf8(files.content[files::RECORD].clone()).unwrap();
    let keys: Vec<String> =
        text.lines().filter_map(|line| Some(json_of(line)["event_key"].as_str()?.to_owned())).collect();
    assert!(keys.len() > 1);
    let exchanged = text.replace(&keys[0], &keys[1]);
    files.content.insert(files::RECORD, exchanged.into_bytes());
    let mut bench = Bench::of(&honest);
    bench.add(&files);
    assert_found(&bench.verify().remove(0), json!({"ledger": "record", "verdict": "not_opened_at", "position": 1}));
}

#[test]
fn a_stretch_does_not_hide_what_was_done_before_it() {
    let honest = honest();
    let mut attacked = honest.clone();
    attacked.ours[0][1].actor_name = "ravi".into();
    attacked.rechain(Ledger::Record);
    let mut bench = Bench::of(&honest);
    bench.add(&Files::of_clinic(&attacked, 3));
    let mut other_start = Files::of_clinic(&honest, 3);
    other_start.manifest.record.range.as_mut().unwrap().previous_hash.0 = GENESIS;
    bench.add(&other_start);
    let said = bench.verify();
    assert_found(&said[0], json!({"ledger": "record", "verdict": "altered_between", "after": 0, "up_to": 4}));
    assert_found(&said[1], json!({"ledger": "record", "verdict": "altered_at", "position": 3}));
}

fn json_of(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Each line of a file, and the file without it.
fn lines_of(files: &Files, name: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines: Vec<&[u8]> = files.content[name].split_inclusive(|byte| *byte == b'\n').collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().concat();
    lines.iter().enumerate().map(|(n, line)| (line.to_vec(), without(n))).collect()
}

/// A clinic's bundle, a stretch's, a chart's.
fn some_bundle(world: &World, kind: u8) -> Files {
    match kind {
        0 => Files::of_clinic(world, 1),
        1 => Files::of_clinic(world, 2),
        _ => Files::of_patients(world, &[patient(0)]),
    }
}

/// Changes one value of a JSON document, wherever it lies; `false` where there is none.
fn change_one(value: &mut Value, at: Index) -> bool {
    fn leaves<'v>(value: &'v mut Value, found: &mut Vec<&'v mut Value>) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| leaves(item, found)),
            Value::Object(members) => members.values_mut().for_each(|item| leaves(item, found)),
            leaf => found.push(leaf),
        }
    }
    let mut found = Vec::new();
    leaves(value, &mut found);
    if found.is_empty() {
        return false;
    }
    let index = at.index(found.len());
    match &mut *found[index] {
        Value::String(text) => change_text(text, at),
        Value::Number(number) => *found[index] = json!(number.as_i64().unwrap() + 1),
        Value::Bool(is) => *is = !*is,
        leaf => *leaf = json!("x"),
    }
    true
}

fn change_text(text: &mut String, at: Index) {
    let mut characters: Vec<char> = text.chars().collect();
    match characters.len() {
        0 => characters.push('x'),
        length => {
            let one = &mut characters[at.index(length)];
            *one = if one.is_ascii_lowercase() {
                one.to_ascii_uppercase()
            } else if *one == '7' {
                '8'
            } else {
                '7'
            };
        }
    }
    *text = characters.into_iter().collect();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_byte_that_was_flipped_anywhere_is_noticed(
        steps in steps(), kind in 0..3_u8, places in proptest::collection::vec((any::<Index>(), any::<Index>(), 1..=255_u8), 12),
    ) {
        let world = World::after(&steps);
        let files = some_bundle(&world, kind);
        let mut bench = Bench::of(&world);
        let manifest = serde_json::to_vec(&proof::bundle::Manifest { files: files.entries(), ..files.manifest.clone() }).unwrap();
        let sum = proof::bundle::manifest_sha256(&manifest).into_bytes();
        for (file, place, change) in places {
            let mut all: Vec<_> = files.content.iter().map(|(name, bytes)| (*name, bytes.clone())).collect();
            all.extend([(files::MANIFEST, manifest.clone()), (files::MANIFEST_SHA256, sum.clone())]);
            let mut full: Vec<_> = all.iter_mut().filter(|(_, bytes)| !bytes.is_empty()).collect();
            let chosen = file.index(full.len());
            let bytes = &mut full[chosen].1;
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            write_zip(&bench.next(), &all);
        }
        for said in bench.verify().into_iter().flatten() {
            prop_assert_ne!(&said["outcome"], &json!("intact"), "{}", said);
        }
    }

    #[test]
    fn a_value_that_was_changed_is_noticed_though_the_manifest_was_made_to_fit(
        steps in steps(), kind in 0..3_u8, places in proptest::collection::vec((any::<Index>(), any::<Index>(), any::<Index>()), 12),
    ) {
        let world = World::after(&steps);
        let honest = some_bundle(&world, kind);
        let mut bench = Bench::of(&world);
        for (file, line, at) in places {
            let mut files = honest.clone();
            let names = [files::RECORD, files::ACCESS, files::CHECKPOINTS, files::PROOFS, files::KEYS];
            let names: Vec<_> = names.into_iter().filter(|name| !files.content[name].is_empty()).collect();
            let name = names[file.index(names.len())];
            let mut lines: Vec<Vec<u8>> = lines_of(&files, name).into_iter().map(|(line, _)| line).collect();
            let line = line.index(lines.len());
            let mut value: Value = serde_json::from_slice(&lines[line]).unwrap();
            prop_assert!(change_one(&mut value, at));
            lines[line] = format!("{value}\n").into_bytes();
            files.content.insert(name, lines.concat());
            bench.add(&files);
        }
        for said in bench.verify().into_iter().flatten() {
            prop_assert_ne!(&said["outcome"], &json!("intact"), "{}", said);
        }
    }

    #[test]
    fn a_line_that_was_dropped_repeated_or_moved_is_noticed(
        steps in steps(), kind in 0..3_u8, places in proptest::collection::vec((any::<Index>(), any::<Index>(), 0..3_u8), 12),
    ) {
        let world = World::after(&steps);
        let honest = some_bundle(&world, kind);
        let mut bench = Bench::of(&world);
        for (file, line, how) in places {
            let mut files = honest.clone();
            // Nothing proves that a chart comes with all of its accesses.
            let names = if kind < 2 { vec![files::RECORD, files::ACCESS, files::CHECKPOINTS] } else { vec![files::RECORD] };
            let names: Vec<_> = names.into_iter().filter(|name| !files.content[name].is_empty()).collect();
            let name = names[file.index(names.len())];
            let mut lines: Vec<Vec<u8>> = lines_of(&files, name).into_iter().map(|(line, _)| line).collect();
            let line = line.index(lines.len());
            match how {
                0 => _ = lines.remove(line),
                1 => lines.insert(line, lines[line].clone()),
                _ if lines.len() == 1 => continue,
                _ => {
                    let next = (line + 1) % lines.len();
                    lines.swap(line, next);
                }
            }
            files.content.insert(name, lines.concat());
            bench.add(&files);
        }
        for said in bench.verify().into_iter().flatten() {
            prop_assert_ne!(&said["outcome"], &json!("intact"), "{}", said);
        }
    }
}
