//! The rooms of the dashboard, which is a program and no library: a target has them as its `main.rs` does.

macro_rules! rooms {
    () => {
        #[path = "../../../src/dashboard/src"]
        mod rooms {
            pub mod allocator;
            pub mod cli;
            pub mod commands;
            pub mod console;
            pub mod demo;
            pub mod failure;
            pub mod handle;
            pub mod headless;
            pub mod keeper;
            pub mod link;
            pub mod record;
            pub mod result;
            pub mod ui;
        }
        use rooms::*;

        #[path = "../entries/dashboard.rs"]
        mod dashboard;
    };
}
