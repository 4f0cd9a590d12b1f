//! A sweep of ordinary runs, started twice, and the report on one of them.

use std::fs;

use crate::program::{Workplace, data, text};

#[test]
fn a_sweep_is_done_once_and_each_of_its_runs_has_a_report() {
    let place = Workplace::new();
    let file = |name: &str| data().join(name).display().to_string();
    let out = place.runs().join("sweep");
    let mut args = vec!["sweep".to_owned(), "--out".to_owned(), out.display().to_string()];
    for (flag, value) in [
        ("--model", file("models/student")),
        ("--train", file("triage/train.jsonl")),
        ("--valid", file("triage/valid.jsonl")),
        ("--max-steps", "4".to_owned()),
        ("--threads", "1".to_owned()),
        ("--avoid", "Ashdown".to_owned()),
        ("--grid", "rrr=0,0.5".to_owned()),
        ("--grid", "seed=1".to_owned()),
        ("--jobs", "2".to_owned()),
    ] {
        args.extend([flag.to_owned(), value]);
    }
    let first = place.output(&args);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let table = fs::read_to_string(out.join("sweep.csv")).unwrap();
    assert!(
        table.starts_with("run,rrr,seed,outcome,step,loss/") || table.starts_with("run,rrr,seed,outcome,step,valid/")
    );
    assert!(table.contains("\nrrr-0_seed-1,0,1,finished,4,") && table.contains("\nrrr-0.5_seed-1,0.5,1,finished,4,"));
    assert!(text(&first.stdout).contains("rrr 0.5"), "{}", text(&first.stdout));
    let second = place.output(&args);
    let said = text(&second.stderr);
    assert_eq!(said.matches("finished at step 4").count(), 2, "{said}");
    assert_eq!(said.matches(" before").count(), 2, "{said}");
    assert_eq!(fs::read_to_string(out.join("sweep.csv")).unwrap(), table);

    let other: Vec<String> = args.iter().map(|arg| if arg == "4" { "5".to_owned() } else { arg.clone() }).collect();
    let refused = place.output(other);
    let said = text(&refused.stderr);
    assert!(
        refused.status.code() == Some(1) && said.contains("was begun with max_steps 4, and the sweep asks for 5"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(out.join("sweep.csv")).unwrap(), table);

    let run = out.join("rrr-0.5_seed-1").display().to_string();
    assert_eq!(place.output(["report", &run]).status.code(), Some(0));
    let page = fs::read_to_string(out.join("rrr-0.5_seed-1/report.html")).unwrap();
    for part in [
        "loss/rrr",
        "The best evaluation",
        "SHA-256 of the training data now",
        "avoid = [&quot;Ashdown&quot;]",
        "No text was explained during the run. For this report",
        "The best tested maps:",
        "The worst tested maps:",
        "means of gradient x input, in logits, over",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("explain/gini") && !page.contains("<script"));
    assert_eq!(place.output(["report", &run, "--explain", "0"]).status.code(), Some(0));
    let bare = fs::read_to_string(out.join("rrr-0.5_seed-1/report.html")).unwrap();
    assert!(bare.contains("there is nothing to show") && !bare.contains("The best tested maps:"));
}
