//! What is typed, as signals, and the definition they make.

use super::{Offer, sizes::Sizes};
use crate::{components::FieldErrors, go::Go};
use domain::{
    artifact::{Artifact, ArtifactKind},
    id::{JobId, TeamId},
    job::{Job, JobKind, JobSpec, JobUpdate, NewJob, Resources},
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// A row of a list whose length changes; the key keeps its element in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub key: u32,
    pub name: RwSignal<String>,
    pub value: RwSignal<String>,
}

#[derive(Clone, Copy)]
pub struct Form {
    pub kind: JobKind,
    pub offer: StoredValue<Offer>,
    /// The job that is edited and the version the edit began from.
    pub saved: RwSignal<Option<(JobId, i64)>>,
    pub name: RwSignal<String>,
    pub team: RwSignal<String>,
    pub cluster: RwSignal<String>,
    pub environment: RwSignal<String>,
    pub queue: RwSignal<String>,
    pub sql: RwSignal<String>,
    pub artifact: RwSignal<String>,
    pub artifacts: RwSignal<Vec<Artifact>>,
    pub main_class: RwSignal<String>,
    pub args: RwSignal<Vec<Row>>,
    pub conf: RwSignal<Vec<Row>>,
    pub tags: RwSignal<String>,
    pub time_zone: RwSignal<String>,
    pub job_manager_mb: RwSignal<String>,
    pub task_manager_mb: RwSignal<String>,
    pub slots: RwSignal<String>,
    pub vcores: RwSignal<String>,
    pub parallelism: RwSignal<String>,
    pub attempts: RwSignal<String>,
    /// Of a Spark job.
    pub sizes: Sizes,
    pub errors: FieldErrors,
    pub error: RwSignal<Option<crate::api::ApiError>>,
    pub busy: RwSignal<bool>,
    /// A check by the server found nothing wrong.
    pub checked: RwSignal<bool>,
    pub ui: StoredValue<crate::ui::Ui>,
    pub go: Go,
    /// Somebody else's newer version, when a save met one.
    pub theirs: RwSignal<Option<Job>>,
    /// When the draft was kept last, and whether it was found at the start.
    pub kept: RwSignal<Option<domain::Millis>>,
    pub restored: RwSignal<bool>,
    next_key: StoredValue<u32>,
    /// The definition the form began with.
    pub first: StoredValue<(String, JobSpec)>,
}

/// What a new job begins with: the first cluster, and an environment of its engine that lies there.
fn blank(kind: JobKind, offer: &Offer) -> JobSpec {
    let fitting = || offer.environments.iter().filter(|e| e.engine == kind.engine());
    let placed = |code: &str| {
        fitting().find(|e| {
            e.placements
                .iter()
                .any(|p| p.cluster_code == code && p.snapshot.is_some())
        })
    };
    let cluster = offer.clusters.first();
    let mut spec = nowhere(kind);
    spec.cluster = cluster.map(|c| c.code.clone()).unwrap_or_default();
    if let Some(environment) = cluster.and_then(|c| placed(&c.code)).or_else(|| fitting().next()) {
        spec.environment = environment.id.clone();
    }
    spec
}

impl Form {
    /// A form for `edited`, or for a new job that begins like `base`.
    pub fn new(offer: Offer, kind: JobKind, base: Option<Job>, edited: Option<Job>) -> Self {
        let team = base.as_ref().map(|job| job.team.to_string()).unwrap_or_else(|| {
            let own = crate::ui::ui().viewer.with_value(|v| {
                v.as_ref()
                    .and_then(|v| v.teams.first().map(|m| m.team.to_string()))
            });
            own.or_else(|| offer.teams.first().map(|team| team.id.to_string()))
                .unwrap_or_default()
        });
        let spec = base.map(|job| {
            let mut spec = job.spec;
            if edited.is_none() {
                spec.name.push_str("-copy");
            }
            spec
        });
        let text = || RwSignal::new(String::new());
        let form = Self {
            kind,
            saved: RwSignal::new(edited.map(|job| (job.id, job.version))),
            name: text(),
            team: RwSignal::new(team.clone()),
            cluster: text(),
            environment: text(),
            queue: text(),
            sql: text(),
            artifact: text(),
            artifacts: RwSignal::new(offer.artifacts.clone()),
            main_class: text(),
            args: RwSignal::new(Vec::new()),
            conf: RwSignal::new(Vec::new()),
            tags: text(),
            time_zone: text(),
            job_manager_mb: text(),
            task_manager_mb: text(),
            slots: text(),
            vcores: text(),
            parallelism: text(),
            attempts: text(),
            sizes: Sizes::new(),
            errors: RwSignal::new(BTreeMap::new()),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
            checked: RwSignal::new(false),
            ui: StoredValue::new(crate::ui::ui()),
            go: Go::new(),
            theirs: RwSignal::new(None),
            kept: RwSignal::new(None),
            restored: RwSignal::new(false),
            next_key: StoredValue::new(0),
            first: StoredValue::new((team.clone(), spec.clone().unwrap_or_else(|| blank(kind, &offer)))),
            offer: StoredValue::new(offer),
        };
        let (team, spec) = form.first.get_value();
        form.fill(&team, &spec);
        form
    }

    /// Begins with a stored file as the program, as its page asks for.
    pub fn begin_with(self, artifact: &str) {
        let known = self
            .artifacts
            .with_untracked(|all| all.iter().any(|a| a.id.as_str() == artifact));
        if known {
            self.artifact.set(artifact.to_owned());
            self.first
                .update_value(|(_, spec)| spec.artifact = artifact.parse().ok());
        }
    }

    pub fn editing(self) -> bool {
        self.saved.with(Option::is_some)
    }

    pub fn first_name(self) -> String {
        self.first.with_value(|(_, spec)| spec.name.clone())
    }

    pub fn new_row(self, name: &str, value: &str) -> Row {
        let key = self.next_key.get_value();
        self.next_key.set_value(key + 1);
        Row {
            key,
            name: RwSignal::new(name.to_owned()),
            value: RwSignal::new(value.to_owned()),
        }
    }

    /// Puts a definition into the fields.
    pub fn fill(self, team: &str, spec: &JobSpec) {
        self.team.set(team.to_owned());
        self.name.set(spec.name.clone());
        self.cluster.set(spec.cluster.clone());
        self.environment.set(spec.environment.to_string());
        self.queue.set(spec.queue.clone());
        self.sql.set(spec.sql.clone().unwrap_or_default());
        self.artifact.set(
            spec.artifact
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        );
        self.main_class.set(spec.main_class.clone().unwrap_or_default());
        self.args
            .set(spec.args.iter().map(|arg| self.new_row("", arg)).collect());
        self.conf.set(
            spec.conf
                .iter()
                .map(|(key, value)| self.new_row(key, value))
                .collect(),
        );
        self.tags.set(spec.tags.join(" "));
        self.time_zone.set(spec.time_zone.clone().unwrap_or_default());
        let r = &spec.resources;
        self.job_manager_mb.set(r.job_manager_mb.to_string());
        self.task_manager_mb.set(r.task_manager_mb.to_string());
        self.slots.set(r.slots.to_string());
        self.vcores
            .set(r.task_manager_vcores.map(|n| n.to_string()).unwrap_or_default());
        self.parallelism.set(r.parallelism.to_string());
        self.attempts.set(spec.am_attempts.to_string());
        self.sizes.fill(self, spec);
    }

    /// The definition as typed. A number that is none becomes 0, which no field takes, so its check
    /// names the range.
    pub fn spec(self) -> JobSpec {
        let text = |signal: RwSignal<String>| signal.get().trim().to_owned();
        let some = |signal: RwSignal<String>| Some(text(signal)).filter(|text| !text.is_empty());
        let number = |signal: RwSignal<String>| text(signal).parse().unwrap_or(0);
        let environment = self.environment.get().parse().ok();
        self.sizes.complete(JobSpec {
            name: text(self.name),
            kind: self.kind,
            cluster: text(self.cluster),
            environment: environment
                .unwrap_or_else(|| self.first.with_value(|(_, spec)| spec.environment.clone())),
            queue: text(self.queue),
            sql: self.kind.program().is_none().then(|| self.sql.get()),
            artifact: some(self.artifact)
                .filter(|_| self.kind.program().is_some())
                .and_then(|id| id.parse().ok()),
            main_class: some(self.main_class).filter(|_| self.kind.program() == Some(ArtifactKind::Jar)),
            args: self.args.get().iter().map(|row| row.value.get()).collect(),
            conf: self
                .conf
                .get()
                .iter()
                .map(|row| (text(row.name), row.value.get()))
                .filter(|(key, value)| !key.is_empty() || !value.is_empty())
                .collect(),
            resources: Resources {
                job_manager_mb: number(self.job_manager_mb),
                task_manager_mb: number(self.task_manager_mb),
                slots: number(self.slots),
                task_manager_vcores: some(self.vcores).map(|n| n.parse().unwrap_or(0)),
                parallelism: number(self.parallelism),
            },
            tags: self.tags.get().split_whitespace().map(str::to_owned).collect(),
            time_zone: some(self.time_zone),
            am_attempts: number(self.attempts),
            // What the form has no fields for stays as it is.
            ..self.first.with_value(|(_, spec)| spec.clone())
        })
    }

    pub fn team_id(self) -> Option<TeamId> {
        self.team.get().parse().ok()
    }

    pub fn new_job(self) -> NewJob {
        NewJob {
            team: self.team_id(),
            spec: self.spec(),
        }
    }

    pub fn update(self) -> Option<(JobId, JobUpdate)> {
        let (id, base_version) = self.saved.get()?;
        Some((
            id,
            JobUpdate {
                base_version,
                spec: self.spec(),
            },
        ))
    }

    /// Whether something differs from what the form began with.
    pub fn changed(self) -> bool {
        let (team, spec) = (self.team.get(), self.spec());
        self.first
            .with_value(|(first_team, first)| *first_team != team || *first != spec)
    }
}

/// A definition while there is no environment to name: the form says so and cannot be saved.
#[allow(clippy::expect_used)]
fn nowhere(kind: JobKind) -> JobSpec {
    let environment =
        domain::id::EnvironmentId::from_ulid("00000000000000000000000000").expect("26 zeros are a ULID");
    JobSpec::new(kind, environment)
}
