//! An oracle whose model lives on another thread: each question is one short job there.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use pellucid_explain::{
    Answer, Attention, GRADIENT_COST, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient,
};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};

use super::oracle::{PathQuery, Query, Reply};
use super::parts::parts;

/// Who else uses the thread of the model: the larger a question, the less its words cost, and the longer others wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// A training goes on there.
    Training,
    /// Only other questions come.
    Nobody,
}

impl Company {
    /// The most words in one question. In a small model: 15 ms, which a training step waits; 150 ms, which a person does.
    const fn words(self) -> usize {
        match self {
            Self::Training => 96,
            Self::Nobody => 1024,
        }
    }
}

/// The explainer's end: asks and waits.
#[derive(Debug)]
pub struct RemoteOracle {
    words: usize,
    /// The most words in one question, unless the text is longer.
    most: usize,
    queries: SyncSender<Query>,
    replies: Receiver<Answer<Reply>>,
}

/// The model's end. Dropping it cancels the explainer.
#[derive(Debug)]
pub struct QuestionBox {
    queries: Receiver<Query>,
    replies: SyncSender<Answer<Reply>>,
}

/// Whether there is something to answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// A question waits.
    Asked(Query),
    /// The explainer is computing.
    NotYet,
    /// The explainer is done or gone.
    Over,
}

/// Both ends for a text of `words` words.
#[must_use]
pub fn remote(words: usize, company: Company) -> (RemoteOracle, QuestionBox) {
    let (ask, queries) = sync_channel(1);
    let (reply, replies) = sync_channel(1);
    (RemoteOracle { words, most: company.words(), queries: ask, replies }, QuestionBox { queries, replies: reply })
}

impl QuestionBox {
    /// The next question, waited for at most `patience`.
    #[must_use]
    pub fn poll(&self, patience: Duration) -> Question {
        match self.queries.recv_timeout(patience) {
            Ok(query) => Question::Asked(query),
            Err(RecvTimeoutError::Timeout) => Question::NotYet,
            Err(RecvTimeoutError::Disconnected) => Question::Over,
        }
    }

    /// Answers the question that was asked.
    pub fn reply(&self, answer: Answer<Reply>) {
        // An explainer that has gone needs no answer.
        let _ = self.replies.send(answer);
    }
}

impl RemoteOracle {
    fn ask(&self, query: Query) -> Answer<Reply> {
        self.queries.send(query).map_err(|_| OracleError::Cancelled)?;
        self.replies.recv().map_err(|_| OracleError::Cancelled)?
    }

    /// How many gradients are asked for in one question.
    fn gradients(&self) -> usize {
        (self.most / self.words.max(1) / GRADIENT_COST as usize).max(1)
    }
}

fn mismatch<T>() -> Answer<T> {
    Err(OracleError::Failed("an answer to another question".to_owned()))
}

impl Predict for RemoteOracle {
    fn words(&self) -> usize {
        self.words
    }

    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>> {
        let mut all = Vec::with_capacity(presence.len());
        let words = |row: &Vec<bool>| match removal {
            Removal::Mask => row.len(),
            Removal::Delete => row.iter().filter(|present| **present).count() + 1,
        };
        for rows in parts(presence, self.most, words) {
            match self.ask(Query::Outcomes(rows.to_vec(), removal))? {
                Reply::Outcomes(outcomes) => all.extend(outcomes),
                _ => return mismatch(),
            }
        }
        Ok(all)
    }
}

impl Slopes for RemoteOracle {
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient> {
        match self.ask(Query::Gradient(scalar))? {
            Reply::Gradient(gradient) => Ok(gradient),
            _ => mismatch(),
        }
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>> {
        let mut all = Vec::with_capacity(alphas.len());
        for some in alphas.chunks(self.gradients()) {
            match self.ask(Query::Path(PathQuery { baseline, alphas: some.to_vec(), scalar }))? {
                Reply::Path(points) => all.extend(points),
                _ => return mismatch(),
            }
        }
        Ok(all)
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let (first, count) = (first + all.len() as u64, self.gradients().min(count - all.len()));
            match self.ask(Query::Noisy { noise, first, count })? {
                Reply::Gradients(gradients) if gradients.len() == count => all.extend(gradients),
                _ => return mismatch(),
            }
        }
        Ok(all)
    }

    fn attention(&mut self) -> Answer<Attention> {
        match self.ask(Query::Attention)? {
            Reply::Attention(attention) => Ok(attention),
            _ => mismatch(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: usize = Company::Training.words();

    #[test]
    fn questions_are_answered_across_threads_in_order() {
        let (mut oracle, questions) = remote(2, Company::Training);
        let asker = std::thread::spawn(move || {
            let rows = |n| vec![vec![true, false]; n];
            (1..4).map(|n| oracle.outcomes(&rows(n), Removal::Mask).unwrap().len()).collect::<Vec<_>>()
        });
        let mut answered = 0;
        loop {
            match questions.poll(Duration::from_millis(10)) {
                Question::Asked(Query::Outcomes(rows, Removal::Mask)) => {
                    let outcome = Outcome { logit: 0.0, probability: 0.5, margin: 0.0 };
                    questions.reply(Ok(Reply::Outcomes(vec![outcome; rows.len()])));
                    answered += 1;
                }
                Question::Asked(_) => panic!("nobody asked for that"),
                Question::NotYet => {}
                Question::Over => break,
            }
        }
        assert_eq!(asker.join().unwrap(), [1, 2, 3]);
        assert_eq!(answered, 3);
    }

    #[test]
    fn questions_are_small_and_nothing_is_lost_between_them() {
        let (mut oracle, questions) = remote(WORDS / 4, Company::Training);
        let asker = std::thread::spawn(move || {
            let rows: Vec<_> = (0..10).map(|row| vec![row % 2 == 0; WORDS / 4]).collect();
            let mut ask = |rows: &[Vec<bool>]| -> Vec<f64> {
                oracle.outcomes(rows, Removal::Delete).unwrap().iter().map(|outcome| outcome.probability).collect()
            };
            (ask(&rows), ask(&[]))
        });
        let mut sizes = Vec::new();
        loop {
            match questions.poll(Duration::from_millis(10)) {
                Question::Asked(Query::Outcomes(rows, Removal::Delete)) => {
                    sizes.push(rows.len());
                    let outcome = |row: &Vec<bool>| {
                        let probability = f64::from(u8::from(row[0]));
                        Outcome { logit: 0.0, probability, margin: 0.0 }
                    };
                    questions.reply(Ok(Reply::Outcomes(rows.iter().map(outcome).collect())));
                }
                Question::Asked(_) => panic!("nobody asked for that"),
                Question::NotYet => {}
                Question::Over => break,
            }
        }
        assert_eq!(sizes, [6, 4], "texts without words cost next to nothing");
        assert_eq!(asker.join().unwrap(), ([1.0, 0.0].repeat(5), vec![]));
    }

    #[test]
    fn dropping_the_box_cancels_the_explainer() {
        let (mut oracle, questions) = remote(1, Company::Training);
        drop(questions);
        assert_eq!(oracle.gradient(Scalar::Logit), Err(OracleError::Cancelled));
    }
}
