//! The requests of the screen to the worker, and what it does with the answers.

use pellucid_protocol::check::Depth;
use pellucid_protocol::explanation::Method;
use pellucid_protocol::word_importance::{Case, plain};
use pellucid_protocol::{Cancel, Change, Command, ExplainRequest, Subject, Weights, WhatIfAnswer};

use super::{Explain, Wait, draft, subject};
use crate::input::keymap::Action;
use crate::screens::samples::Masking;

impl Explain {
    /// Whether an explanation that was asked for is not here yet, or not whole.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.is_coming() || self.draft.is_busy()
    }

    /// Whether that is so for the text as it is.
    fn is_coming(&self) -> bool {
        let partial = self.history.last().is_some_and(|last| last.partial);
        self.wait == Wait::Asked || (partial && self.wait == Wait::Nothing)
    }

    /// The worker's answer to the request.
    pub fn answered(&mut self, request: &ExplainRequest, refusal: Option<&str>) {
        match refusal {
            None => {}
            Some(_) if !request.edits.is_empty() => self.draft.refused(),
            Some(why) => {
                self.masking = None;
                self.wait = Wait::Refused(why.to_owned());
            }
        }
    }

    fn want(&mut self, subject: Subject, target: Option<usize>, methods: &[Method]) -> ExplainRequest {
        let (edits, checks, weights) = (Vec::new(), Depth::Gates, self.weights);
        if self.current().is_none_or(|current| super::subject(current) != subject) {
            // The method chosen on another text may come last on this one.
            self.chosen = None;
        }
        let request = ExplainRequest { subject, methods: methods.to_vec(), target, edits, checks, weights };
        self.wanted = Some(request.clone());
        self.wait = Wait::Asked;
        self.masking = None;
        self.scroll = 0;
        self.is_stale = false;
        request
    }

    /// The request for a validation sample.
    pub fn want_sample(&mut self, index: usize) -> ExplainRequest {
        self.want(Subject::Sample(index), None, Method::ALL)
    }

    /// The request for a validation sample of which a word is to be masked then.
    pub fn want_without(&mut self, masking: Masking) -> ExplainRequest {
        let request = self.want_sample(masking.sample);
        self.masking = Some(masking);
        request
    }

    /// Masks the word that was to be masked, where the sample is on the screen now, and says what is to be asked then.
    pub fn due_masking(&mut self) -> Option<Command> {
        let sample = self.current()?.sample;
        let masking = self.masking.take_if(|masking| Some(masking.sample) == sample)?;
        let current = self.current()?;
        let is_it = |&place: &usize| plain(&current.word(place), Case::Folded) == masking.word;
        let places: Vec<usize> = (0..current.words.len()).filter(is_it).collect();
        self.draft.mask(&places);
        self.asking()
    }

    /// The request for a typed text.
    pub fn want_text(&mut self, text: &str) -> ExplainRequest {
        self.want(Subject::Text(text.to_owned()), None, Method::ALL)
    }

    /// The request for what is on the screen, with all figures of the checks.
    pub fn with_figures(&mut self) -> Option<ExplainRequest> {
        let request = ExplainRequest { checks: Depth::Figures, ..self.again()? };
        self.wanted = Some(request.clone());
        Some(request)
    }

    /// The request for what is on the screen, by the weights of the best evaluation instead of the last ones, or the other
    /// way round; the next requests are for the same weights.
    pub fn with_other_weights(&mut self) -> Option<ExplainRequest> {
        self.weights = match self.weights {
            Weights::Best => Weights::Latest,
            Weights::Latest | Weights::OfStep(_) => Weights::Best,
        };
        self.again()
    }

    /// The request for what is on the screen, by the weights of now.
    pub fn again(&mut self) -> Option<ExplainRequest> {
        self.repeat(Method::ALL)
    }

    /// The same, to be repeated while the run goes on: for the usual methods and the one that is looked at.
    /// Where words are changed, it is about them.
    pub fn follow(&mut self) -> Option<Command> {
        if let Some(question) = self.current().and_then(|current| self.draft.question(current)) {
            self.is_stale = false;
            return Some(Command::WhatIf(question));
        }
        let mut methods = Method::USUAL.to_vec();
        if !methods.contains(&self.method()) {
            methods.insert(0, self.method());
        }
        self.repeat(&methods).map(Command::Explain)
    }

    fn repeat(&mut self, methods: &[Method]) -> Option<ExplainRequest> {
        let (subject, target) = match (&self.wanted, self.current()) {
            (Some(wanted), _) => (wanted.subject.clone(), wanted.target),
            (None, Some(current)) => (subject(current), None),
            (None, None) => return None,
        };
        Some(self.want(subject, target, methods))
    }

    /// The request for the next class of what is on the screen.
    pub fn next_class(&mut self) -> Option<ExplainRequest> {
        let current = self.current()?;
        let (subject, classes) = (subject(current), current.probabilities.len().max(1));
        let target = (current.target + 1) % classes;
        Some(self.want(subject, Some(target), Method::ALL))
    }

    /// The text that was typed last.
    #[must_use]
    pub fn typed(&self) -> &str {
        match self.wanted.as_ref().map(|wanted| &wanted.subject) {
            Some(Subject::Text(text)) => text,
            _ => "",
        }
    }

    /// Changes the marked word, or the last one marked back, and says what is to be asked then.
    pub fn change(&mut self, action: Action) -> Option<Command> {
        if self.draft.cursor.is_none() && action != Action::Undo {
            self.mark(0);
            return None;
        }
        match action {
            Action::Mask => self.draft.turn(Change::Mask),
            Action::Delete => self.draft.turn(Change::Delete),
            Action::Restore => self.draft.restore(),
            _ => self.draft.undo(),
        }
        self.asking()
    }

    /// Writes the marked word otherwise; the word itself puts it back.
    pub fn retype(&mut self, new: &str) -> Option<Command> {
        let (word, current) = (self.draft.cursor?, self.current()?);
        let same = current.word(word) == new.trim();
        if same || self.draft.change(word) == Some(&Change::Retype(new.to_owned())) {
            self.draft.restore();
        } else {
            self.draft.turn(Change::Retype(new.to_owned()));
        }
        self.asking()
    }

    /// The marked word, as it is now; marks one if there is none.
    pub fn retyped(&mut self) -> Option<String> {
        if self.draft.cursor.is_none() {
            self.mark(0);
        }
        let (word, current) = (self.draft.cursor?, self.current()?);
        match self.draft.change(word) {
            Some(Change::Retype(new)) => Some(new.clone()),
            _ => Some(current.word(word)),
        }
    }

    /// What is to be asked about the words as they are now. Where none is changed any more, what was given up
    /// for the changes is asked for again.
    fn asking(&mut self) -> Option<Command> {
        if let Some(question) = self.current().and_then(|current| self.draft.question(current)) {
            return Some(Command::WhatIf(question));
        }
        if self.wait == Wait::Cut { self.again().map(Command::Explain) } else { None }
    }

    /// Takes the answer in; says what is to be asked then: the map of the changed text. What is under way
    /// for the text as it is gives way.
    pub fn take_answer(&mut self, answer: &WhatIfAnswer) -> Option<Command> {
        let current = self.shown.and_then(|shown| self.history.get(shown))?;
        if !self.draft.take_answer(answer, current) {
            return None;
        }
        if self.is_coming() {
            self.cut();
        }
        self.map_request()
    }

    /// Gives up what is under way.
    fn cut(&mut self) {
        self.wait = Wait::Cut;
        if let Some(last) = self.history.last_mut() {
            last.partial = false;
        }
    }

    /// The request for the map of the changed text, where it is still to come and nothing else is.
    pub fn due_map(&mut self) -> Option<Command> {
        let target = self.current()?.target;
        (self.draft.lacks_map(target) && !self.is_coming()).then(|| self.map_request())?
    }

    fn map_request(&mut self) -> Option<Command> {
        let current = self.current()?;
        let request = ExplainRequest {
            subject: subject(current),
            methods: draft::methods(self.method()),
            target: Some(current.target),
            edits: self.draft.edits().to_vec(),
            checks: Depth::Gates,
            weights: Weights::OfStep(current.step),
        };
        self.draft.asked();
        Some(Command::Explain(request))
    }

    /// Nobody goes on with what was begun: the worker of the ended run is gone.
    pub fn abandon(&mut self) {
        self.history.iter_mut().for_each(|known| known.partial = false);
    }

    /// Gives up what is under way; else the marked word.
    pub fn close(&mut self) -> Option<Command> {
        if self.is_busy() {
            self.draft.refused();
            self.cut();
            return Some(Command::Cancel(Cancel::Explaining));
        }
        self.draft.cursor = None;
        None
    }
}
