//! The order of the folders of each crate: a file names nothing of a folder that comes later.

use super::Violation;
use super::modules::{Modules, top};

/// The modules right below the root of a crate, each before those that may use it.
pub(super) struct Order {
    pub(super) folder: &'static str,
    pub(super) modules: &'static [&'static str],
}

pub(super) const ORDERS: &[Order] = &[
    Order { folder: "src/files", modules: &["regular", "bounded", "temporary", "whole", "output", "weight_names"] },
    Order {
        folder: "src/engine",
        modules: &[
            "error",
            "panic_guard",
            "interrupt",
            "host",
            "device",
            "data",
            "model",
            "task",
            "explain",
            "train",
            "pretrain",
            "worker",
        ],
    },
    Order { folder: "src/protocol", modules: &["text", "explanation", "metric", "settings", "task", "message"] },
    Order {
        folder: "src/explain",
        modules: &[
            "words",
            "sentences",
            "oracle",
            "sampling",
            "regression",
            "chance_test",
            "opening",
            "faithfulness",
            "context",
            "explainer",
            "gradient",
            "occlusion",
            "rollout",
            "surrogate",
            "shapley",
            "checks",
            "attribute",
            "probe",
            "shortcut",
        ],
    },
    Order {
        folder: "src/intake",
        modules: &[
            "error",
            "panic_guard",
            "hub_snapshot",
            "rows",
            "labels",
            "samples",
            "split",
            "survey",
            "model_folder",
            "hub_cache",
        ],
    },
    Order {
        folder: "src/hub",
        modules: &[
            "error",
            "progress",
            "address",
            "content_hash",
            "hub",
            "pace",
            "client",
            "listing",
            "remote_file",
            "download",
            "store",
            "pull",
        ],
    },
    Order {
        folder: "src/import",
        modules: &[
            "brief",
            "pickle",
            "checkpoint",
            "weights",
            "family",
            "tokenizer",
            "config",
            "job",
            "confine",
            "convert",
            "folder",
        ],
    },
    Order {
        folder: "src/evaluate",
        modules: &[
            "proportion",
            "confusion",
            "class_scores",
            "agreement",
            "curves",
            "probabilities",
            "ranked",
            "calibration",
            "bootstrap",
            "comparison",
            "conformal",
            "cut_offs",
            "evaluation",
            "classification",
            "distillation",
            "measures",
        ],
    },
    Order {
        folder: "src/record",
        modules: &["log", "owner", "run_dir", "lock", "worker_info", "socket", "runs", "settings_file", "summary"],
    },
    Order {
        folder: "src/client",
        modules: &[
            "console",
            "failure",
            "handle",
            "stack",
            "lines",
            "stderr_lines",
            "link",
            "connection",
            "feed",
            "worker",
            "worker_state",
            "launch",
            "follow",
            "player",
            "supervisor",
        ],
    },
    Order { folder: "src/formats", modules: &["html", "table"] },
    Order {
        folder: "src/pellucid",
        modules: &[
            "stdout",
            "console",
            "runtime",
            "recorded",
            "new_folder",
            "models",
            "result",
            "job_lines",
            "headless",
            "cli",
            "demo",
            "commands",
        ],
    },
    Order {
        folder: "src/dashboard",
        modules: &[
            "config", "text", "theme", "widgets", "history", "run", "chart", "msg", "input", "geometry", "screens",
            "state", "dialogs", "update", "view", "terminal", "app", "pages", "picture", "bench",
        ],
    },
    Order {
        folder: "data/generator",
        modules: &[
            "dice",
            "files",
            "text",
            "draft",
            "split",
            "clauses",
            "credit",
            "triage",
            "domain",
            "shortcut",
            "set",
            "tokenizer",
            "unlabelled",
        ],
    },
];

/// What in a crate looks up in the order of its modules, and which modules stand in no order.
pub(super) fn upwards(modules: &Modules, order: &[&str]) -> Vec<Violation> {
    let place = |module: &str| order.iter().position(|name| *name == module);
    let unlisted = modules.top().filter(|module| place(module).is_none()).map(|module| Violation {
        file: modules.file(module).to_owned(),
        line: 1,
        what: format!("`{module}` stands in no order; list it in `folders.rs`, after what it uses"),
    });
    let listed_in_vain = order.iter().filter(|module| modules.file(module).is_empty()).map(|module| Violation {
        file: "tests/suite/tidy/folders.rs".to_owned(),
        line: 1,
        what: format!("there is no module `{module}` in the crate"),
    });
    let uses = modules.uses();
    let looks_up = uses.iter().filter_map(|step| {
        let from = top(&step.from)?;
        let at = place(from)?;
        // What the root defines comes after all of its modules.
        let up = top(&step.to).is_none_or(|to| place(to).is_some_and(|to| at < to));
        let to = top(&step.to).unwrap_or("the root");
        let what = format!("`{from}` comes before `{to}` and must not use it");
        up.then(|| Violation { file: step.file.clone(), line: step.line, what })
    });
    unlisted.chain(listed_in_vain).chain(looks_up).collect()
}
