//! What a person or a program is told when something does not work: a code with typed arguments.
//! The sentence is made from it at the face, in the reader's language; REST clients act on the code.

use crate::Lang;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What a caller does about it; a face maps it to its own status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Change the request: nothing was done.
    Invalid,
    /// Sign in.
    Unauthenticated,
    /// Ask somebody for the right.
    Forbidden,
    NotFound,
    /// The object's state does not allow it now.
    Conflict,
    TooLarge,
    TooMany,
    /// Something outside did not answer or cannot do it now; trying again later may work.
    Unavailable,
    /// A fault of the console.
    Internal,
}

/// The longest text from outside that an argument carries, in characters.
pub const MAX_ARG_CHARS: usize = 2000;

/// A failure as it is stored, sent and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    pub code: Code,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Failure {
    pub fn new(code: Code) -> Self {
        Self {
            code,
            args: BTreeMap::new(),
        }
    }

    /// Adds an argument; control characters become blanks and the text is cut at [`MAX_ARG_CHARS`],
    /// since most arguments come from outside.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        let text: String = value
            .to_string()
            .chars()
            .map(|c| {
                if c.is_control() && c != '\n' && c != '\t' {
                    ' '
                } else {
                    c
                }
            })
            .take(MAX_ARG_CHARS)
            .collect();
        self.args.insert(name.to_owned(), text);
        self
    }

    pub fn kind(&self) -> Kind {
        self.code.kind()
    }

    /// The sentence in one language: what is wrong, then what to do.
    pub fn text(&self, lang: Lang) -> String {
        let mut out = String::new();
        let mut rest = self.code.template(lang);
        while let Some((before, tail)) = rest.split_once('{') {
            out.push_str(before);
            let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
            out.push_str(self.args.get(name).map_or("?", String::as_str));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for Failure {}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal, $kind:ident, $en:literal, $zh:literal;)*) => {
        /// Every failure there is. `{x}` in a text is the argument `x`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[serde(rename = $code)] $name,)* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            pub fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)* }
            }

            fn template(self, lang: Lang) -> &'static str {
                match lang {
                    Lang::En => match self { $(Code::$name => $en,)* },
                    Lang::ZhCn => match self { $(Code::$name => $zh,)* },
                }
            }
        }
    };
}

named_schema!(Code, as_str);

codes! {
    // The request and its caller.
    Internal = "internal", Internal,
        "Something went wrong in the console. Nothing was changed; try again, and give the request id to your administrator if it stays.",
        "控制台内部出错，未做任何更改。请重试；若仍失败，请将请求编号交给管理员。";
    DatabaseBusy = "database_busy", Unavailable,
        "The console's database did not answer in time. Try again in a moment.",
        "控制台数据库未及时响应，请稍后重试。";
    Busy = "busy", Unavailable,
        "The console did not finish this in time. Look whether it was done before you try again.",
        "控制台未能及时完成该操作。重试前请先确认是否已生效。";
    DiskFull = "disk_full", Unavailable,
        "The console host has no room left for this. Ask your administrator to free disk space.",
        "控制台主机磁盘空间不足，请联系管理员清理磁盘。";
    Unauthenticated = "unauthenticated", Unauthenticated,
        "You are not signed in, or your session has ended. Sign in and try again.",
        "尚未登录或会话已结束，请登录后重试。";
    BadCredentials = "bad_credentials", Unauthenticated,
        "Name or password is not right.",
        "用户名或密码不正确。";
    LoginLinkInvalid = "login_link_invalid", Unauthenticated,
        "This login link has been used or has expired. Make a new one on the host with `penstock login-link`.",
        "该登录链接已使用或已过期。请在主机上运行 `penstock login-link` 重新生成。";
    TokenInvalid = "token_invalid", Unauthenticated,
        "This token is not known, has expired or was revoked. Make a new one under Tokens.",
        "令牌无效、已过期或已吊销。请在“令牌”中新建。";
    Forbidden = "forbidden", Forbidden,
        "You may not do this here: it needs {action}. Ask an administrator for the role.",
        "您无权执行此操作：需要 {action} 权限。请向管理员申请相应角色。";
    CrossSite = "cross_site", Forbidden,
        "This request came from another site and was refused.",
        "该请求来自其他站点，已被拒绝。";
    NotFound = "not_found", NotFound,
        "There is no such {what}, or you may not see it.",
        "找不到该 {what}，或您无权查看。";
    NoRoute = "no_route", NotFound,
        "There is nothing at this address.",
        "该地址不存在。";
    MethodNotAllowed = "method_not_allowed", Invalid,
        "This address does not take that method.",
        "该地址不支持此请求方法。";
    BadJson = "bad_json", Invalid,
        "The request body cannot be read: {reason}",
        "无法解析请求内容：{reason}";
    UnsupportedMediaType = "unsupported_media_type", Invalid,
        "The body must be sent as {expected}.",
        "请求内容类型必须为 {expected}。";
    BodyTooLarge = "body_too_large", TooLarge,
        "That is more than the {limit} allowed here.",
        "内容超出上限 {limit}。";
    TooMany = "too_many", TooMany,
        "Too many requests at once. Wait {seconds} s and try again.",
        "请求过于频繁，请等待 {seconds} 秒后重试。";
    IdempotencyMismatch = "idempotency_mismatch", Conflict,
        "This Idempotency-Key was used for another request. Take a new key.",
        "该 Idempotency-Key 已用于其他请求，请更换。";
    EditConflict = "edit_conflict", Conflict,
        "Somebody saved version {current} while you edited version {yours}. Your text is still here: compare and save again.",
        "在您编辑版本 {yours} 期间，他人已保存版本 {current}。您的内容仍在，请比较后再保存。";

    // Fields.
    FieldRequired = "field_required", Invalid,
        "{field} is needed.",
        "{field} 不能为空。";
    FieldTooLong = "field_too_long", Invalid,
        "{field} is longer than {max}.",
        "{field} 超过长度上限 {max}。";
    FieldCharacters = "field_characters", Invalid,
        "{field} contains a character that is not allowed: {character}.",
        "{field} 含有不允许的字符：{character}。";
    FieldRange = "field_range", Invalid,
        "{field} must lie between {min} and {max}.",
        "{field} 必须介于 {min} 与 {max} 之间。";
    FieldInvalid = "field_invalid", Invalid,
        "{field} is not usable: {reason}",
        "{field} 无效：{reason}";
    NameTaken = "name_taken", Conflict,
        "The name {name} is taken. Choose another.",
        "名称 {name} 已被占用，请换一个。";
    FieldOfOtherKind = "field_of_other_kind", Invalid,
        "{field} does not belong to a {kind} job. Leave it out.",
        "{field} 不适用于 {kind} 作业，请删除。";
    EnvironmentEngine = "environment_engine", Invalid,
        "{environment} is a {engine} environment. A {kind} job needs another one.",
        "环境 {environment} 属于 {engine}，{kind} 作业需使用其他环境。";
    ConfKeyOwned = "conf_key_owned", Invalid,
        "{key} is set by the console and cannot be given in the configuration. Remove the line.",
        "{key} 由控制台设置，不能在配置中指定，请删除该行。";
    ConfKeyInvalid = "conf_key_invalid", Invalid,
        "{key} is not a configuration key.",
        "{key} 不是合法的配置键。";
    SqlEmpty = "sql_empty", Invalid,
        "The script is empty. Write at least one statement.",
        "脚本为空，请至少编写一条语句。";
    SqlNoInsert = "sql_no_insert", Invalid,
        "The script only defines things and would start no job. Add an INSERT.",
        "脚本只有定义语句，不会启动任何作业，请添加 INSERT。";
    SqlUnterminated = "sql_unterminated", Invalid,
        "The {what} that begins in line {line} is not closed.",
        "第 {line} 行开始的 {what} 未闭合。";
    QueueNotAllowed = "queue_not_allowed", Forbidden,
        "Your team may not use queue {queue} on this cluster. Choose one of: {allowed}.",
        "您的团队不能使用该集群的队列 {queue}。可选：{allowed}。";
    ClusterNotAllowed = "cluster_not_allowed", Forbidden,
        "Your team may not use cluster {cluster}. Ask an administrator to add the team to it.",
        "您的团队不能使用集群 {cluster}，请联系管理员授权。";

    // Files.
    ArtifactUnusable = "artifact_unusable", Invalid,
        "{name} cannot be used here; {expected} is needed.",
        "{name} 不能用于此处，需要 {expected}。";
    JarInvalid = "jar_invalid", Invalid,
        "{name} cannot be used: {reason}",
        "{name} 无法使用：{reason}";
    ChecksumMismatch = "checksum_mismatch", Invalid,
        "What arrived differs from what was announced (sha256 {expected}, got {actual}). Upload the file again.",
        "收到的内容与声明不符（应为 sha256 {expected}，实际 {actual}）。请重新上传。";
    UploadIncomplete = "upload_incomplete", Conflict,
        "Parts of the file are missing: {missing}. Send them, then complete the upload.",
        "文件缺少分片：{missing}。请补传后再完成上传。";
    UploadPart = "upload_part", Invalid,
        "Part {part} does not fit this upload: {reason}",
        "分片 {part} 与本次上传不符：{reason}";
    ArtifactMissing = "artifact_missing", Conflict,
        "The stored file of {name} is gone from the console host. Upload it again.",
        "{name} 的存储文件已不在控制台主机上，请重新上传。";

    // Runs.
    RunOpen = "run_open", Conflict,
        "This job already has a run that has not ended ({run}). Stop it first.",
        "该作业已有未结束的运行（{run}），请先停止。";
    RunEnded = "run_ended", Conflict,
        "This run has ended ({state}); there is nothing to stop.",
        "该运行已结束（{state}），无需停止。";
    NotInState = "not_in_state", Conflict,
        "A run that is {state} cannot do this.",
        "处于 {state} 状态的运行不能执行此操作。";
    NotOfEngine = "not_of_engine", Invalid,
        "{engine} knows no {what}. Its runs can be killed.",
        "{engine} 不支持 {what}，其运行只能强制终止。";
    StopRefused = "stop_refused", Unavailable,
        "The cluster refused to stop the run: {reason}",
        "集群拒绝停止该运行：{reason}";
    SavepointFailed = "savepoint_failed", Unavailable,
        "Flink could not take the savepoint; the run goes on: {reason}",
        "Flink 未能完成保存点，运行仍在继续：{reason}";
    SavepointMissing = "savepoint_missing", Unavailable,
        "The run ended and left no savepoint in {path}. Look why it ended before you start it again.",
        "运行已结束，但 {path} 中没有保存点。再次启动前请先查明结束原因。";
    StopDeadline = "stop_deadline", Unavailable,
        "The run did not stop with a savepoint within {seconds} s. It was left running; nothing was ended.",
        "运行未能在 {seconds} 秒内带保存点停止。运行保持不变，未终止任何内容。";
    StateExists = "state_exists", Conflict,
        "{job} has state to start from ({path}). Choose a restore point, or type the job's name to start without state.",
        "{job} 有可恢复的状态（{path}）。请选择恢复点，或输入作业名称以确认不带状态启动。";
    ConfirmationMismatch = "confirmation_mismatch", Invalid,
        "What was typed is not the name of the job. To start without its state, type exactly: {job}",
        "输入的内容与作业名称不符。若要不带状态启动，请准确输入：{job}";
    RestorePointGone = "restore_point_gone", Conflict,
        "There is nothing to restore in {path}: its _metadata file is not on HDFS. Choose another restore point.",
        "{path} 中没有可恢复的内容：HDFS 上缺少其 _metadata 文件。请选择其他恢复点。";
    RestorePointUsed = "restore_point_used", Conflict,
        "{run} was started from it and has not ended, so it may still need these files. Stop that run first.",
        "{run} 由此恢复点启动且尚未结束，可能仍需要这些文件。请先停止该运行。";
    RestorePointForeign = "restore_point_foreign", Conflict,
        "{path} was not written for a savepoint of this console and is not deleted by it.",
        "{path} 不是本控制台的保存点，不会由控制台删除。";
    SubmitRefused = "submit_refused", Invalid,
        "The ResourceManager refused the application: {reason}",
        "ResourceManager 拒绝了该应用：{reason}";
    AppFailed = "app_failed", Internal,
        "The application failed: {reason}",
        "应用运行失败：{reason}";
    AppFailedSilently = "app_failed_silently", Internal,
        "The application failed and gave no reason to the cluster. Its log tells more.",
        "应用失败，但未向集群说明原因，请查看日志。";
    AppRejected = "app_rejected", Invalid,
        "The cluster accepted the application and then rejected it: {reason}",
        "集群接受后又拒绝了该应用：{reason}";
    QueueUnknown = "queue_unknown", Invalid,
        "The cluster has no queue {queue} that takes applications. Choose another queue in the job.",
        "集群中不存在可提交的队列 {queue}，请在作业中更换队列。";
    QueueDenied = "queue_denied", Forbidden,
        "{user} may not submit to queue {queue}. Ask the cluster's administrator for the right, or choose another queue.",
        "{user} 无权向队列 {queue} 提交，请联系集群管理员或更换队列。";
    ResourceTooLarge = "resource_too_large", Invalid,
        "More {resource} was asked ({asked}) than the cluster gives one container ({max}). Ask for less.",
        "请求的 {resource}（{asked}）超过集群单个容器上限（{max}），请调小。";
    FileChanged = "file_changed", Conflict,
        "A file of the environment changed on HDFS after it was placed: {path}. Start again; the console puts the right one back.",
        "环境文件在 HDFS 上被改动：{path}。请重新启动，控制台会恢复正确的文件。";
    FileGone = "file_gone", Conflict,
        "A file the application needs is gone from HDFS: {path}. Start again; the console puts it back.",
        "应用所需文件已不在 HDFS 上：{path}。请重新启动，控制台会重新放置。";
    MainClassMissing = "main_class_missing", Invalid,
        "The class {class} was not found when the application started. Check the main class of the job and its jar.",
        "启动时找不到类 {class}，请检查作业的主类与 jar。";
    OutOfMemory = "out_of_memory", Invalid,
        "A container used more memory than it had: {reason} Raise the memory of the job.",
        "容器内存不足：{reason} 请调大作业内存。";
    SqlFailed = "sql_failed", Invalid,
        "The engine could not run statement {statement} (line {line}): {reason}",
        "引擎无法执行第 {statement} 条语句（第 {line} 行）：{reason}";
    LostTrack = "lost_track", Internal,
        "The ResourceManager no longer knows {application}, and neither archive nor logs say how it ended.",
        "ResourceManager 已不认识 {application}，归档与日志也未说明其结果。";
    LaunchTooLarge = "launch_too_large", Invalid,
        "The environment has {files} files; their list is {bytes} bytes, and a container's environment holds {max}. Remove files or shorten paths.",
        "环境含 {files} 个文件，列表 {bytes} 字节，超过容器环境上限 {max}。请减少文件或缩短路径。";

    // Cluster.
    XmlInvalid = "xml_invalid", Invalid,
        "{file} is not a Hadoop configuration file: {reason}",
        "{file} 不是合法的 Hadoop 配置文件：{reason}";
    XmlPropertyMissing = "xml_property_missing", Invalid,
        "The client configuration does not say {property}. Add the file that sets it.",
        "客户端配置缺少 {property}，请补充设置它的文件。";
    DirectoryNotAllowed = "directory_not_allowed", Forbidden,
        "{path} is not below a directory the console may read. Allowed: {allowed}.",
        "{path} 不在控制台允许读取的目录之下。允许：{allowed}。";
    DirectoryUnreadable = "directory_unreadable", Invalid,
        "{path} cannot be read on the console host: {reason}",
        "无法在控制台主机上读取 {path}：{reason}";
    RmUnreachable = "rm_unreachable", Unavailable,
        "The ResourceManager {endpoint} cannot be reached: {reason}",
        "无法连接 ResourceManager {endpoint}：{reason}";
    RmNoActive = "rm_no_active", Unavailable,
        "No ResourceManager is active. The cluster is failing over or down; the console keeps trying.",
        "没有活动的 ResourceManager，集群正在切换或已停止；控制台会继续尝试。";
    RmSubmitDisabled = "rm_submit_disabled", Unavailable,
        "The ResourceManager takes no applications over REST. Set yarn.webapp.enable-rest-app-submissions=true.",
        "ResourceManager 未开启 REST 提交，请设置 yarn.webapp.enable-rest-app-submissions=true。";
    RmForbidden = "rm_forbidden", Forbidden,
        "The ResourceManager does not let {user} do this: {reason}",
        "ResourceManager 不允许 {user} 执行此操作：{reason}";
    NnUnreachable = "nn_unreachable", Unavailable,
        "The NameNode {endpoint} cannot be reached: {reason}",
        "无法连接 NameNode {endpoint}：{reason}";
    NnNoActive = "nn_no_active", Unavailable,
        "No NameNode is active. HDFS is failing over or down; the console keeps trying.",
        "没有活动的 NameNode，HDFS 正在切换或已停止；控制台会继续尝试。";
    NnSafeMode = "nn_safe_mode", Unavailable,
        "HDFS is in safe mode and takes no writes. It usually leaves by itself; else run `hdfs dfsadmin -safemode leave`.",
        "HDFS 处于安全模式，暂不可写。通常会自动退出，否则请执行 `hdfs dfsadmin -safemode leave`。";
    DnUnreachable = "dn_unreachable", Unavailable,
        "The DataNode {endpoint} cannot be reached: {reason}",
        "无法连接 DataNode {endpoint}：{reason}";
    NmUnreachable = "nm_unreachable", Unavailable,
        "The NodeManager {endpoint} cannot be reached: {reason}",
        "无法连接 NodeManager {endpoint}：{reason}";
    HdfsForbidden = "hdfs_forbidden", Forbidden,
        "HDFS does not let {user} use {path}. Ask the HDFS administrator for the right.",
        "HDFS 不允许 {user} 访问 {path}，请联系 HDFS 管理员授权。";
    HdfsQuota = "hdfs_quota", Unavailable,
        "The HDFS quota of {path} is used up: {reason}",
        "{path} 的 HDFS 配额已用尽：{reason}";
    HdfsNoSpace = "hdfs_no_space", Unavailable,
        "HDFS has no room left for {path}. Free space on the DataNodes.",
        "HDFS 已无空间存放 {path}，请清理 DataNode 磁盘。";
    HdfsNotFound = "hdfs_not_found", NotFound,
        "There is no {path} on HDFS.",
        "HDFS 上不存在 {path}。";
    HdfsCorrupt = "hdfs_corrupt", Unavailable,
        "{path} on HDFS differs from what was written ({reason}). It was not used.",
        "HDFS 上的 {path} 与写入内容不符（{reason}），未被使用。";
    RootMissing = "root_missing", Unavailable,
        "The console's directory {path} is not on HDFS and {user} cannot create it. Run: hdfs dfs -mkdir -p {path} && hdfs dfs -chown {user} {path}",
        "HDFS 上没有控制台目录 {path}，且 {user} 无法创建。请执行：hdfs dfs -mkdir -p {path} && hdfs dfs -chown {user} {path}";
    RootForeign = "root_foreign", Conflict,
        "{path} belongs to another installation of the console ({deployment}). Choose another root, or adopt this one on purpose.",
        "{path} 属于另一套控制台（{deployment}）。请更换根目录，或明确接管。";
    ClockSkew = "clock_skew", Unavailable,
        "The clocks of the console and {endpoint} differ by {seconds} s. Set both by NTP.",
        "控制台与 {endpoint} 的时钟相差 {seconds} 秒，请使用 NTP 同步。";
    VersionUnsupported = "version_unsupported", Unavailable,
        "{what} {version} is not supported; {least} or newer is.",
        "不支持 {what} {version}，需要 {least} 或更高版本。";
    RemoteAnswer = "remote_answer", Unavailable,
        "{endpoint} answered something that is not understood: {reason}",
        "{endpoint} 返回了无法识别的内容：{reason}";
    EnvironmentIncomplete = "environment_incomplete", Invalid,
        "{path} is not a complete distribution of Flink or Spark: {reason}",
        "{path} 不是完整的 Flink 或 Spark 发行版：{reason}";
    EnvironmentNotPlaced = "environment_not_placed", Conflict,
        "The environment {environment} is not on cluster {cluster} yet. Place it first.",
        "环境 {environment} 尚未放置到集群 {cluster}，请先放置。";
    FlinkUnreachable = "flink_unreachable", Unavailable,
        "The job's own address {endpoint} cannot be reached from the console: {reason}",
        "控制台无法连接作业地址 {endpoint}：{reason}";

    // Logs.
    LogsNotReady = "logs_not_ready", Unavailable,
        "The cluster is still collecting the logs of this run. They appear here within seconds.",
        "集群正在收集该运行的日志，几秒内即可查看。";
    LogsGone = "logs_gone", NotFound,
        "The logs of this run are not on the cluster any more, or were never collected: {reason}",
        "该运行的日志已不在集群上，或从未收集：{reason}";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn names(template: &str) -> BTreeSet<String> {
        template
            .split('{')
            .skip(1)
            .map(|t| t.split('}').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn both_languages_use_the_same_arguments_and_codes_are_unique() {
        let mut seen = BTreeSet::new();
        for &code in Code::ALL {
            assert!(seen.insert(code.as_str()));
            assert_eq!(
                names(code.template(Lang::En)),
                names(code.template(Lang::ZhCn)),
                "{}",
                code.as_str()
            );
            assert!(
                code.template(Lang::ZhCn).chars().any(|c| c > '\u{2e80}'),
                "{}",
                code.as_str()
            );
        }
    }

    #[test]
    fn text_from_outside_is_inert() {
        let failure =
            Failure::new(Code::AppFailed).with("reason", format!("a\u{1b}[31mb{{x}}{}", "y".repeat(5000)));
        let text = failure.text(Lang::En);
        assert!(text.starts_with("The application failed: a [31mb{x}y"));
        assert!(text.len() < 2100);
    }
}
