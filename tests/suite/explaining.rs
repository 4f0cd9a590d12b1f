//! Explaining beside a real training: what-if, and all samples in the background.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use pellucid_protocol::check::Depth;
use pellucid_protocol::explanation::Asker;
use pellucid_protocol::{
    Cancel, Change, Command, Event, ExplainRequest, Method, Subject, SurveyProgress, SurveyRequest, SurveyState,
    ToClient, ToWorker, Weights, WhatIf, WhatIfAnswer, WordEdit,
};

use crate::numbers::{ENORMOUS, model_with};
use crate::program::{PATIENCE, Workplace, is_end, is_state, is_step};
use crate::terminal::Terminal;

/// A client of a worker, as the dashboard is one.
struct Client {
    lines: BufReader<UnixStream>,
    next: u64,
}

impl Client {
    fn of(place: &Workplace) -> Self {
        let stream = UnixStream::connect(place.run().worker_info().unwrap().socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { lines: BufReader::new(stream), next: 1 }
    }

    fn send(&mut self, command: Command) -> u64 {
        let id = self.next;
        self.next += 1;
        let line = serde_json::to_string(&ToWorker { id, command }).unwrap() + "\n";
        self.lines.get_mut().write_all(line.as_bytes()).unwrap();
        id
    }

    fn next(&mut self) -> ToClient {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the worker has let go");
            // A blank line only asks whether anybody reads.
            if !line.trim().is_empty() {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }

    /// The next event that `wanted` makes something of.
    fn wait<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            if let ToClient::Event { record } = self.next()
                && let Some(found) = wanted(&record.event)
            {
                return found;
            }
        }
    }

    /// The reply to a command: why it was refused, if it was.
    fn reply(&mut self, command: Command) -> Option<String> {
        let sent = self.send(command);
        loop {
            if let ToClient::Reply { id, error } = self.next()
                && id == sent
            {
                return error;
            }
        }
    }

    fn what_if(&mut self, question: WhatIf) -> WhatIfAnswer {
        self.send(Command::WhatIf(question.clone()));
        self.wait(|event| match event {
            Event::WhatIf(answer) if answer.question == question => Some((**answer).clone()),
            _ => None,
        })
    }
}

fn progress(event: &Event) -> Option<SurveyProgress> {
    if let Event::Survey(progress) = event { Some(progress.clone()) } else { None }
}

fn training(place: &Workplace) -> Terminal {
    let terminal = Terminal::pellucid(place, &place.train(&["--max-steps", "100000", "--eval-every", "1000"]));
    place.wait_for_event("a step", is_step);
    terminal
}

fn text(words: &str, edits: &[(usize, Change)]) -> WhatIf {
    let edits = edits.iter().map(|(word, change)| WordEdit { word: *word, change: change.clone() });
    WhatIf { subject: Subject::Text(words.to_owned()), edits: edits.collect(), weights: Weights::Latest }
}

#[test]
fn a_changed_text_is_answered_as_if_it_had_been_typed() {
    let place = Workplace::new();
    let _terminal = training(&place);
    let mut client = Client::of(&place);
    assert_eq!(client.reply(Command::Pause), None);
    let changed =
        client.what_if(text("chest pain since an hour", &[(0, Change::Delete), (4, Change::Retype("day".into()))]));
    let typed = client.what_if(text("pain since an day", &[]));
    let near = |left: &[f64], right: &[f64]| left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near(&changed.after, &typed.before) && near(&typed.before, &typed.after));
    assert!(!near(&changed.before, &changed.after));
    assert!((changed.after.iter().sum::<f64>() - 1.0).abs() < 1e-6);

    // Masked is what the explainers mean by it: with the word off, occlusion leaves that probability.
    let masked = client.what_if(text("chest pain since an hour", &[(1, Change::Mask)]));
    let subject = Subject::Text("chest pain since an hour".to_owned());
    let request = ExplainRequest {
        subject,
        methods: vec![Method::Occlusion],
        target: Some(0),
        edits: Vec::new(),
        checks: Depth::Gates,
        weights: Weights::Latest,
    };
    client.send(Command::Explain(request.clone()));
    let whole = |event: &Event| match event {
        Event::Explained(explanation) if !explanation.partial => Some((**explanation).clone()),
        _ => None,
    };
    let explanation = client.wait(whole);
    let drop = explanation.attributions[0].scores[1];
    assert!((masked.before[0] - masked.after[0] - drop).abs() < 1e-5, "{drop}");

    // The map of the changed text is not one of the record's own.
    let edits = vec![WordEdit { word: 1, change: Change::Mask }];
    client.send(Command::Explain(ExplainRequest { edits: edits.clone(), ..request }));
    let map = client.wait(whole);
    assert_eq!((&map.edits, map.words.len()), (&edits, 5));
    assert!(map.attributions[0].scores[1].abs() < 1e-5, "masked already");
    assert_eq!(client.reply(Command::StopNow), None);
    let records = place.wait_for_event("the end", is_end);
    let kept: Vec<_> = records.iter().filter_map(|record| whole(&record.event)).collect();
    assert!(kept.len() == 1 && kept[0].edits.is_empty(), "{}", kept.len());
    assert!(!records.iter().any(|record| matches!(record.event, Event::WhatIf(_))));
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let place = Workplace::new();
    let _terminal = training(&place);
    let mut client = Client::of(&place);
    let refused = |client: &mut Client, command| client.reply(command).unwrap_or_default();
    let beyond = Command::WhatIf(text("one two", &[(2, Change::Mask)]));
    assert!(refused(&mut client, beyond).contains("there is no word 2"));
    let beyond = WhatIf { subject: Subject::Sample(999_999), edits: Vec::new(), weights: Weights::Latest };
    assert!(refused(&mut client, Command::WhatIf(beyond)).contains("there is no sample"));
    for samples in [vec![0, 999_999], vec![]] {
        let survey = SurveyRequest { samples, methods: vec![Method::Occlusion] };
        assert!(refused(&mut client, Command::Survey(survey)).contains("there is no"));
    }
    for what in [Cancel::Survey, Cancel::Explaining] {
        assert!(refused(&mut client, Command::Cancel(what)).contains("under way"));
    }
    // Nothing left is a text of one mask or none; it has an answer too.
    let nothing = client.what_if(text("one", &[(0, Change::Delete)]));
    assert!(nothing.after.iter().all(|share| share.is_finite()));
}

#[test]
fn a_survey_lets_everything_else_go_first_and_is_kept_in_the_record() {
    let place = Workplace::new();
    let _terminal = training(&place);
    let mut client = Client::of(&place);
    let samples: Vec<usize> = (0..6).rev().collect();
    let survey = SurveyRequest { samples: samples.clone(), methods: vec![Method::GradientInput, Method::Occlusion] };
    client.send(Command::Survey(survey.clone()));
    let begun = client.wait(progress);
    assert_eq!((begun.done, begun.total, &begun.state), (0, 6, &SurveyState::Going));
    let answer = client.what_if(text("chest pain", &[(0, Change::Mask)]));
    assert_eq!(answer.after.len(), answer.before.len());
    let subject = Subject::Text("sudden chest pain".to_owned());
    let asked = ExplainRequest {
        subject,
        methods: vec![Method::Lime],
        target: None,
        edits: Vec::new(),
        checks: Depth::Gates,
        weights: Weights::Latest,
    };
    client.send(Command::Explain(asked));
    let own = client.wait(|event| match event {
        Event::Explained(explanation) if explanation.asker == Asker::Person && !explanation.partial => {
            Some(explanation.text.clone())
        }
        _ => None,
    });
    assert_eq!(own, "sudden chest pain");
    let over = client.wait(|event| progress(event).filter(|progress| progress.state == SurveyState::Done));
    assert_eq!((over.done, over.step), (6, begun.step));

    client.send(Command::Survey(SurveyRequest { samples: (0..200).collect(), ..survey }));
    client.wait(|event| progress(event).filter(|progress| progress.done > 0));
    assert_eq!(client.reply(Command::Cancel(Cancel::Survey)), None);
    assert_eq!(client.reply(Command::StopNow), None);
    let records = place.wait_for_event("the end", is_end);
    let surveyed = records.iter().filter_map(|record| match &record.event {
        Event::Explained(explanation) if explanation.asker == Asker::Survey => Some(explanation),
        _ => None,
    });
    let surveyed: Vec<_> = surveyed.collect();
    assert!(surveyed.iter().all(|explanation| !explanation.partial && explanation.attributions.len() == 2));
    let found: BTreeSet<usize> = surveyed.iter().filter_map(|explanation| explanation.sample).collect();
    assert!(samples.iter().all(|sample| found.contains(sample)) && found.len() < 200, "{found:?}");
    let first: BTreeSet<u64> = surveyed[..6].iter().map(|explanation| explanation.step).collect();
    assert_eq!(first.len(), 1, "all on the same weights");
}

#[test]
fn words_are_masked_and_put_back_on_the_screen() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    terminal.send("p");
    place.wait_for_event("the pause", |event| is_state(event, "paused"));
    terminal.send("t");
    terminal.wait_for("explain this text");
    terminal.send("sudden chest pain\r");
    terminal.wait_for("in order of trust");
    terminal.send("l");
    terminal.wait_for("of 3");
    terminal.send(" ");
    terminal.wait_until("an answer", |screen| screen.contains("what if:") && screen.contains('→'));
    terminal.wait_until("the map after it", |screen| screen.contains("1 changed"));
    terminal.send("r");
    terminal.wait_for("replace the word by");
    terminal.send("\u{15}no\r");
    terminal.wait_until("the new word", |screen| screen.contains("no") && screen.contains("what if:"));
    terminal.send("u");
    terminal.wait_until("the text as it was", |screen| {
        !screen.contains("what if:") && screen.contains("sudden chest pain")
    });
}

#[test]
fn all_samples_are_explained_from_the_screen() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    place.wait_for_event("an evaluation", |event| matches!(event, Event::Eval(_)));
    terminal.send("3");
    terminal.wait_for("explain all");
    terminal.send("/Ashdown\r");
    terminal.wait_for("filter: Ashdown");
    terminal.send("a");
    terminal.wait_until("progress", |screen| screen.contains("explaining") && screen.contains(" of "));
    place.wait_for_event(
        "a surveyed sample",
        |event| matches!(event, Event::Explained(explanation) if explanation.asker == Asker::Survey),
    );
    terminal.send("w");
    // Rare words too: how many samples have the class, and pass their check, depends on the step they were explained at.
    terminal.send("--");
    terminal.wait_until("the words of the samples", |screen| {
        screen.contains("explained sample") || screen.contains("no word of this class comes in 1 sample or more")
    });
    terminal.send("a");
    terminal.send("w");
    terminal.wait_for("explain all");
}

#[test]
fn an_ended_run_is_explained_by_a_worker_that_comes_back_for_it() {
    let place = Workplace::new();
    place.output(place.train(&["--headless", "--max-steps", "4", "--eval-every", "2"]));
    let record = || std::fs::read(place.run().events()).unwrap();
    let ended = record();
    let mut terminal = Terminal::pellucid(&place, &["attach", "test"]);
    terminal.wait_until("`finished`", |screen| screen.to_lowercase().contains("finished"));
    terminal.send("t");
    terminal.wait_for("explain this text");
    terminal.send("sudden chest pain\r");
    terminal.wait_for("in order of trust");
    terminal.send("l ");
    terminal.wait_until("an answer", |screen| screen.contains("what if:") && screen.contains('→'));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    let later = record();
    assert!(later.starts_with(&ended), "the record is only added to");
    let records = place.wait_for_event("an explanation", |event| matches!(event, Event::Explained(_)));
    let added: Vec<_> = records.into_iter().skip_while(|record| !is_end(&record.event)).skip(1).collect();
    let explained = |event: &Event| matches!(event, Event::Explained(explanation) if explanation.step == 4);
    assert!(!added.is_empty() && added.iter().all(|record| explained(&record.event)), "{added:?}");
}

#[test]
fn who_only_looks_starts_no_worker() {
    let place = Workplace::new();
    place.output(place.train(&["--headless", "--max-steps", "2"]));
    // While somebody is attached it would stay.
    place.wait_for_worker_to_leave();
    let mut terminal = Terminal::pellucid(&place, &["attach", "--read-only", "test"]);
    terminal.wait_for("view only");
    terminal.send("t");
    terminal.wait_for("its worker has left");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn where_the_answer_is_no_number_that_is_the_reply() {
    let place = Workplace::new();
    // A text has an answer as long as none of its words is masked.
    let model = model_with(&place, "[MASK]", ENORMOUS).display().to_string();
    let data = place.path().join("rows.tsv");
    std::fs::write(&data, "text\tlabel\nno fever\turgent\na small cut\troutine\nhe is dying\temergency\n").unwrap();
    let data = data.display().to_string();
    let files = ["--model", &model, "--train", &data, "--valid", &data];
    let more = [&files[..], &["--max-steps", "100000", "--eval-every", "1000", "--probe", "0", "--l2", "0"]].concat();
    let _terminal = Terminal::pellucid(&place, &place.train(&more));
    place.wait_for_event("a step", is_step);
    let mut client = Client::of(&place);
    assert_eq!(client.reply(Command::Pause), None);
    let told = client.reply(Command::WhatIf(text("no fever today", &[(1, Change::Mask)]))).unwrap();
    assert!(told.contains("the model's answer is not a number") && told.contains("bert.embeddings"), "{told}");
    let (subject, methods) = (Subject::Text("no fever today".to_owned()), vec![Method::Occlusion]);
    let edits = vec![WordEdit { word: 1, change: Change::Mask }];
    let request = ExplainRequest {
        subject,
        methods: methods.clone(),
        target: None,
        edits,
        checks: Depth::Gates,
        weights: Weights::Latest,
    };
    let told = client.reply(Command::Explain(request.clone())).unwrap();
    assert!(told.contains("the model's answer is not a number"), "{told}");
    client.send(Command::Explain(ExplainRequest { edits: Vec::new(), ..request }));
    let given_up = |event: &Event| match event {
        Event::Alert(alert) if alert.message.contains("explanation given up") => Some(alert.message.clone()),
        _ => None,
    };
    let told = client.wait(given_up);
    assert!(told.contains("the model gave probabilities that are not finite"), "{told}");
    client.send(Command::Survey(SurveyRequest { samples: vec![0, 1], methods }));
    let failed = |event: &Event| match progress(event)?.state {
        SurveyState::Failed(why) => Some(why),
        _ => None,
    };
    assert!(client.wait(failed).contains("not finite"));
    assert_eq!(client.reply(Command::StopNow), None);
}
