use super::super::evidence::Defaults;
use super::*;

/// The sets of groups that exported functions can allow.
const SYMBOLS: [&[&str]; 5] = [
    &["1.0.0"],
    &["1.0.1"],
    &["1.1.0"],
    &["1.2.0", "1.2.1b1"],
    &["1.2.1", "1.3.0"],
];

fn evidence(symbols: &[&'static str], defaults: Defaults, texts: &[&str]) -> Evidence {
    Evidence {
        own: None,
        official: None,
        symbols: symbols.to_vec(),
        defaults,
        texts: texts.iter().map(|text| text.to_string()).collect(),
    }
}

fn unknown() -> Defaults {
    Defaults::Unknown("it could not be tried".to_owned())
}

fn verdict(evidence: &Evidence, word: Option<&str>) -> Result<Verdict> {
    let word = word.map(|word| Word::parse(word).unwrap());
    settle("x.so", evidence, word.as_ref())
}

fn ambiguous(evidence: &Evidence, word: Option<&str>) -> String {
    let error = verdict(evidence, word).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
    error.message().to_owned()
}

/// Every official file, and every word about it.
#[test]
fn an_official_file_is_settled_without_a_probe() {
    {
        for file in known::FILES {
            let release = known::release(file.release).unwrap();
            let symbols = SYMBOLS
                .iter()
                .find(|groups| groups.contains(&release.group));
            let mut evidence = evidence(symbols.unwrap(), Defaults::NotAsked, &[]);
            evidence.official = Some(file);
            let found = verdict(&evidence, None).unwrap();
            assert_eq!(found.group, release.group);
            assert_eq!(found.release.as_deref(), Some(release.name));
            assert_eq!(found.official.unwrap().platform, file.platform);
            assert!(found.warnings.is_empty());
            assert!(
                found.evidence[0].contains(file.platform),
                "{:?}",
                found.evidence
            );
            for word in &known::RELEASES {
                let same = word.name == release.name;
                let group = word.name == word.group && word.group == release.group;
                match verdict(&evidence, Some(word.name)) {
                    Ok(found) => {
                        assert!(same || group, "{} for {}", word.name, release.name);
                        assert_eq!(found.release.as_deref(), Some(release.name));
                    }
                    Err(error) => {
                        assert!(!same && !group, "{error}");
                        assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
                        assert!(
                            error.message().contains(&format!("{}!", word.name)),
                            "{error}"
                        );
                    }
                }
                let unchecked = verdict(&evidence, Some(&format!("{}!", word.name))).unwrap();
                assert_eq!(unchecked.group, word.group);
                assert_eq!(unchecked.warnings.is_empty(), same || group);
            }
        }
    }
}

/// Everything that exported functions, default parameters, texts and the user can say.
#[test]
fn every_combination_of_evidence_is_settled_by_the_rules() {
    let texts: [&[&str]; 8] = [
        &[],
        &["1.3.0"],
        &["1.2.3"],
        &["1.2.1b1"],
        &["1.2.0"],
        &["1.1.4"],
        &["1.3.1"],
        &["1.3.0", "1.2.3"],
    ];
    let words = known::RELEASES.iter().map(|release| release.name);
    let words: Vec<_> = std::iter::once(None).chain(words.map(Some)).collect();
    let mut count = 0;
    for symbols in SYMBOLS {
        let (first, last) = (symbols[0], symbols[symbols.len() - 1]);
        let fits = [vec![], vec![first], vec![last], symbols.to_vec()].map(Defaults::Fit);
        for defaults in fits.into_iter().chain([unknown(), Defaults::NotAsked]) {
            let left = match &defaults {
                Defaults::Fit(groups) => groups.clone(),
                _ => symbols.to_vec(),
            };
            let layouts = if left.contains(&"1.2.1b1") {
                1
            } else {
                left.len()
            };
            for texts in texts {
                let evidence = evidence(symbols, defaults.clone(), texts);
                let named = match texts {
                    [one] => known::group_of(one).filter(|group| left.contains(group)),
                    _ => None,
                };
                for word in &words {
                    let said = word.and_then(known::group_of);
                    let result = verdict(&evidence, *word);
                    let what = format!("{evidence:?} {word:?}: {result:?}");
                    let accepted = match said {
                        _ if left.is_empty() => false,
                        Some(said) => {
                            left.contains(&said)
                                && (layouts == 1 || named.is_none_or(|named| named == said))
                        }
                        None => layouts == 1,
                    };
                    assert_eq!(result.is_ok(), accepted, "{what}");
                    match result {
                        Ok(found) => {
                            let group = said.or(named).unwrap_or(left[left.len() - 1]);
                            assert_eq!(found.group, group, "{what}");
                            let release = word.or(named.map(|_| texts[0]));
                            assert_eq!(found.release.as_deref(), release, "{what}");
                            assert_eq!(found.warnings.len(), usize::from(word.is_none()), "{what}");
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
                            for help in ["x.so: ", "abi", "RKCHAT_ABI"] {
                                assert!(error.message().contains(help), "{what}");
                            }
                        }
                    }
                    count += 1;
                    if let Some(word) = word {
                        let found = verdict(&evidence, Some(&format!("{word}!"))).unwrap();
                        assert_eq!(
                            (Some(found.group), found.release.as_deref()),
                            (said, Some(*word))
                        );
                        let against = !left.contains(&found.group);
                        assert_eq!(found.warnings.len(), usize::from(against), "{what}");
                    }
                }
            }
        }
    }
    assert_eq!(count, 5 * 6 * 8 * 15);
}

#[test]
fn a_warning_says_what_was_found_and_how_to_say_otherwise() {
    let symbols = ["1.2.1", "1.3.0"];
    let probed = evidence(&symbols, Defaults::Fit(vec!["1.3.0"]), &["1.3.0"]);
    let found = verdict(&probed, None).unwrap();
    assert_eq!(
        (found.group, found.release.as_deref()),
        ("1.3.0", Some("1.3.0"))
    );
    assert_eq!(
        found.warnings,
        [
            "x.so is none of Rockchip's official files; it is driven as group 1.3.0, because its exported functions \
             are those of group 1.2.1 or 1.3.0; rkllm_createDefaultParam fills its result as group 1.3.0 does; the \
             text 1.3.0 is in the file. If that is not right, say its release with the option abi or the \
             environment variable RKCHAT_ABI."
        ]
    );
    let unprobed = evidence(&["1.1.0"], unknown(), &[]);
    let found = verdict(&unprobed, None).unwrap();
    assert!(
        found.warnings[0].contains("it could not be tried"),
        "{:?}",
        found.warnings
    );
}

#[test]
fn an_error_makes_a_suggestion_where_it_can() {
    let symbols = ["1.2.1", "1.3.0"];
    let message = ambiguous(&evidence(&symbols, unknown(), &["1.2.3"]), None);
    assert!(
        message.contains("contains the text 1.2.3; if that is its version, say abi = \"1.2.3\""),
        "{message}"
    );
    for texts in [&[][..], &["1.1.0"], &["1.3.1"], &["1.3.0", "1.2.3"]] {
        let message = ambiguous(&evidence(&symbols, unknown(), texts), None);
        assert!(message.contains("for example abi = \"1.3.0\""), "{message}");
    }
    let message = ambiguous(&evidence(&symbols, Defaults::Fit(vec![]), &[]), None);
    assert!(message.contains("A newer rkchat may know it"), "{message}");
    assert!(message.contains("RKCHAT_ABI=1.3.0!"), "{message}");
    let message = ambiguous(
        &evidence(&symbols, Defaults::Fit(vec![]), &[]),
        Some("1.2.2"),
    );
    assert!(message.contains("abi = \"1.2.2!\""), "{message}");
}

#[test]
fn rkchats_own_runtimes_say_what_they_are() {
    let mut evidence = evidence(&["1.2.1", "1.3.0"], Defaults::NotAsked, &["1.2.3"]);
    evidence.own = Some("1.3.0".to_owned());
    for word in [None, Some("1.3.0"), Some("1.3.0!")] {
        let found = verdict(&evidence, word).unwrap();
        assert_eq!((found.group, found.release), ("1.3.0", None));
        assert!(found.warnings.is_empty());
    }
    for word in ["1.2.1", "1.2.1!"] {
        let message = ambiguous(&evidence, Some(word));
        assert!(
            message.contains("Leave abi and RKCHAT_ABI out"),
            "{message}"
        );
    }
    evidence.own = Some("2.0.0".to_owned());
    assert_eq!(
        verdict(&evidence, None).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}
