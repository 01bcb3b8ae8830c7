//! The table. `{x}` in a text is filled by the view.

use domain::Lang;

/// A text of the pages, in English and in Chinese. Each is an item of its own and not a row of one
/// array, so that a text stands in the module whose pages say it and not in the first load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct T(&'static [&'static str; 2]);

impl T {
    pub fn get(self, lang: Lang) -> &'static str {
        let [en, zh] = self.0;
        match lang {
            Lang::En => en,
            Lang::ZhCn => zh,
        }
    }
}

macro_rules! texts {
    ($($key:ident: $en:literal, $zh:literal;)*) => {
        #[allow(non_upper_case_globals)]
        impl T {
            #[cfg(test)]
            pub const ALL: &'static [T] = &[$(T::$key,)*];

            $(pub const $key: T = T(&[$en, $zh]);)*
        }
    };
}

texts! {
    // Frame.
    SkipToContent: "Skip to content", "跳到正文";
    Navigation: "Pages", "页面导航";
    Develop: "Develop", "开发";
    Operate: "Operate", "运维";
    Account: "Account", "账户";
    Jobs: "Jobs", "作业";
    NewSqlJob: "New SQL job", "新建 SQL 作业";
    NewJarJob: "New jar job", "新建 jar 作业";
    Clusters: "Clusters", "集群";
    Environments: "Environments", "环境";
    Tokens: "Tokens", "令牌";
    SearchOrGo: "Search or go to", "搜索或跳转";
    Results: "Results", "结果";
    Live: "Live", "实时";
    Paused: "Paused", "已暂停";
    Connecting: "Connecting", "连接中";
    EngineSeen: "engine seen", "引擎响应于";
    LivePaused: "Live updates paused. The page shows data from", "实时更新已暂停。页面数据截至";
    UseDark: "Use dark theme", "使用深色主题";
    UseLight: "Use light theme", "使用浅色主题";
    UserMenu: "Account menu of", "账户菜单：";
    Administrator: "Administrator", "管理员";
    RowHeight: "Row height", "行高";
    DensityNormal: "Normal", "标准";
    DensityCompact: "Compact", "紧凑";
    DensityComfortable: "Comfortable", "宽松";
    SignOut: "Sign out", "退出登录";
    SessionEnded: "Your session has ended. What you typed is still here.", "会话已结束，您输入的内容仍然保留。";
    Shortcuts: "Keyboard shortcuts", "键盘快捷键";
    Everywhere: "Everywhere", "所有页面";
    KeyPalette: "Search or go to", "搜索或跳转";
    KeyHelp: "This list", "显示此列表";
    KeyFilter: "Filter", "筛选";
    KeyMove: "move", "移动";
    KeyFar: "First, last, page", "首行、末行、翻页";
    KeySelect: "select", "选择";
    KeyOpen: "open", "打开";
    KeyLogSearch: "Search the log", "搜索日志";
    KeyEnd: "Jump to the end", "跳到末尾";
    KeyIndent: "Indent", "缩进";
    KeyLeaveEditor: "Leave the editor", "离开编辑器";
    KeyFind: "Find in the text", "在文本中查找";

    // Everywhere.
    Close: "Close", "关闭";
    Copy: "Copy", "复制";
    Copied: "Copied", "已复制";
    Retry: "Try again", "重试";
    Loading: "Loading", "加载中";
    RequestId: "Request id", "请求编号";
    NotReached: "The console did not answer. Check the connection and try again.", "控制台没有响应，请检查连接后重试。";
    ErrorTitle: "This page cannot be shown", "无法显示此页面";
    NotFoundTitle: "Not found", "未找到";
    ForbiddenTitle: "You may not see this", "您无权查看";
    NoSuchPage: "There is no page at this address", "该地址没有页面";
    NoSuchPageHint: "It may have been moved, or the address has a typo.", "页面可能已移动，或地址有误。";
    BackToJobs: "Back to the jobs", "返回作业列表";
    Keep: "Keep it", "保留";
    Leave: "Leave", "离开";
    Save: "Save", "保存";
    Check: "Check", "检查";
    Remove: "Remove", "移除";
    More: "Show more", "显示更多";
    Of: "of", "/";
    Yes: "Yes", "是";
    Since: "since", "自";
    Previous: "Previous", "上一个";
    Next: "Next", "下一个";
    Actions: "Actions", "操作";
    Progress: "Progress", "进度";
    Steps: "Steps", "步骤";
    AskAdministrator: "Ask an administrator to add one for your team.", "请联系管理员为您的团队添加。";

    // Signing in.
    SignIn: "Sign in", "登录";
    SigningIn: "Signing in …", "正在登录…";
    UserName: "User name", "用户名";
    Password: "Password", "密码";
    LoginLinkHint: "No password yet? On the host, run", "还没有密码？请在主机上运行";

    // Names of fields and columns.
    Name: "Name", "名称";
    State: "State", "状态";
    Duration: "Duration", "时长";
    Queue: "Queue", "队列";
    Environment: "Environment", "环境";
    Cluster: "Cluster", "集群";
    Owner: "Owner", "负责人";
    Team: "Team", "团队";
    Changed: "Changed", "最近变更";
    Version: "Version", "版本";
    Script: "SQL script", "SQL 脚本";
    Jar: "Jar", "Jar 文件";
    MainClass: "Main class", "主类";
    Arguments: "Arguments", "参数";
    Configuration: "Configuration", "配置";
    JobManagerMemory: "JobManager memory", "JobManager 内存";
    TaskManagerMemory: "TaskManager memory", "TaskManager 内存";
    Slots: "Slots per TaskManager", "每个 TaskManager 的槽位";
    Vcores: "Vcores", "vCores";
    Parallelism: "Parallelism", "并行度";
    Tags: "Tags", "标签";
    TimeZone: "Time zone", "时区";
    Attempts: "Attempts", "尝试次数";
    Code: "Code", "代号";
    Directory: "Directory on the console host", "控制台主机上的目录";
    Select: "Select", "选择";

    // States.
    StatePreparing: "Preparing", "准备中";
    StateSubmitting: "Submitting", "提交中";
    StateQueued: "Queued", "排队中";
    StateStarting: "Starting", "启动中";
    StateRunning: "Running", "运行中";
    StateRestarting: "Restarting", "重启中";
    StateStopping: "Stopping", "停止中";
    StateFinished: "Finished", "已完成";
    StateCancelled: "Cancelled", "已取消";
    StateKilled: "Killed", "被终止";
    StateFailed: "Failed", "失败";
    StateLostTrack: "Lost track", "失去跟踪";
    NeverRun: "Never run", "未运行过";
    StaleFor: "stale", "过期";
    UnknownSince: "Unknown since", "状态未知，自";
    LastKnown: "Last known:", "最后已知：";
    InDoubtSince: "In doubt since", "结果待确认，自";
    StartRequested: "Start requested", "已请求启动";
    SavepointStopRequested: "Stop with savepoint requested", "已请求带保存点停止";
    DrainRequested: "Drain requested", "已请求排空停止";
    CancelRequested: "Cancel requested", "已请求取消";
    KillRequested: "Kill requested", "已请求终止";
    TasksRunning: "Tasks running", "运行中的任务";

    // Jobs list.
    FilterLabel: "Filter the jobs", "筛选作业";
    Views: "Views", "视图";
    ViewAll: "All", "全部";
    ViewAttention: "Needs attention", "需要关注";
    ViewRunning: "Running", "运行中";
    ViewQueued: "Queued", "排队中";
    ViewMine: "Mine", "我的";
    CopyLink: "Copy link", "复制链接";
    UnknownFilter: "Not understood, and ignored: {what}", "无法识别，已忽略：{what}";
    RowsWaiting: "{n} changed – apply", "{n} 行有变动 – 应用";
    NoJobs: "No jobs yet", "还没有作业";
    NoJobsHint: "Write a Flink SQL script or upload a jar; both run on your cluster.", "编写 Flink SQL 脚本或上传 jar，即可在集群上运行。";
    NothingMatches: "Nothing matches", "没有匹配项";
    NothingMatchesHint: "No job fits the filter and the view.", "没有符合筛选条件和视图的作业。";
    ClearFilter: "Clear the filter", "清除筛选";
    Selected: "{n} selected", "已选 {n} 项";
    ClearSelection: "Clear", "取消选择";
    StopMany: "Stop {n} jobs", "停止 {n} 个作业";
    StopManyHint: "Running jobs are cancelled without keeping state; what does not run yet is killed.", "运行中的作业将被取消且不保留状态；尚未运行的将被终止。";
    StopsRequested: "Stop requested for {n}", "已请求停止 {n} 个";
    StartsRequested: "Start requested for {n}", "已请求启动 {n} 个";
    LogOf: "Log of", "日志：";

    // Job.
    Overview: "Overview", "概览";
    Logs: "Logs", "日志";
    Runs: "Runs", "运行记录";
    Run: "Run", "运行";
    Sections: "Sections of the job", "作业内容";
    Edit: "Edit", "编辑";
    Clone: "Clone", "复制作业";
    Start: "Start", "启动";
    Stop: "Stop", "停止";
    StopDots: "Stop…", "停止…";
    StopTitle: "Stop {name}", "停止 {name}";
    StopHow: "How to stop", "停止方式";
    Cancel: "Cancel", "取消";
    CancelHint: "Flink ends the job in order. No savepoint is taken: its state is lost.", "由 Flink 有序结束作业。不会生成保存点，状态将丢失。";
    Kill: "Kill", "终止";
    KillHint: "YARN ends the application at once, whatever it does. For jobs that do not react.", "由 YARN 立即结束应用。适用于无响应的作业。";
    StopEffect: "The state stays as it is until the cluster confirms the stop.", "在集群确认之前，状态保持不变。";
    KeepRunning: "Keep running", "继续运行";
    Delete: "Delete", "删除";
    DeleteDots: "Delete…", "删除…";
    DeleteTitle: "Delete {name}", "删除 {name}";
    DeleteEffect: "The job and its history disappear from the console. Results it wrote stay.", "作业及其历史将从控制台移除，已写出的结果保留。";
    TypeName: "To confirm, type", "请输入以确认：";
    ShowFirstError: "Show the first error in the log", "在日志中查看首个错误";
    NoRuns: "Not run yet", "尚未运行";
    NoRunsHint: "Start it: what happens is shown here step by step.", "启动后，这里会逐步显示进展。";
    Submitting: "Submission", "提交过程";
    Stopping: "Stop", "停止过程";
    Placing: "Placing", "放置中";
    OperationLog: "Log of the operation", "操作日志";
    StepPlan: "Plan the launch", "规划启动";
    StepEnsureFiles: "Make sure of the files", "确认文件就绪";
    StepAllocate: "Get an application id", "申请应用编号";
    StepPost: "Hand it to the ResourceManager", "提交给 ResourceManager";
    StepConfirm: "Wait for its confirmation", "等待确认";
    StepScan: "Look what is missing", "检查缺失项";
    StepUpload: "Upload", "上传文件";
    StepVerify: "Verify", "校验文件";
    StepPublish: "Publish the snapshot", "发布快照";
    StepAsk: "Ask the engine", "请求引擎";
    StepSavepoint: "Write the savepoint", "写入保存点";
    StepRecord: "Verify it on HDFS", "在 HDFS 上校验";
    TakingSavepoint: "Taking a savepoint", "正在创建保存点";
    StopWithSavepoint: "With savepoint", "带保存点停止";
    StopWithSavepointHint: "Flink writes a savepoint, then ends the job; it can go on from there.", "Flink 写入保存点后结束作业，之后可从该处继续。";
    Drain: "Drain", "排空";
    DrainHint: "As with a savepoint, but all windows and timers fire first: for a job that is not to go on.", "同带保存点停止，但会先触发所有窗口与定时器，适用于不再继续的作业。";
    StopDeadline: "At most, in seconds", "最长等待（秒）";
    StopDeadlineHint: "Not done by then, the stop has failed and the job runs on.", "若届时未完成，则停止失败，作业继续运行。";
    NotWhile: "Not possible while the job is in this state: {state}.", "作业处于“{state}”状态时不可用。";
    TakeSavepoint: "Take savepoint", "创建保存点";
    RestorePoints: "Restore points", "恢复点";
    NoRestorePoints: "No restore point yet", "还没有恢复点";
    NoRestorePointsHint: "Take a savepoint while the job runs, or stop it with one. A checkpoint that the job keeps in execution.checkpointing.dir is found when the run has ended.", "可在作业运行时创建保存点，或带保存点停止。作业在 execution.checkpointing.dir 中保留的检查点会在运行结束后列出。";
    Kind: "Kind", "类型";
    Savepoint: "Savepoint", "保存点";
    Checkpoint: "Checkpoint", "检查点";
    Completed: "Completed", "完成时间";
    Size: "Size", "大小";
    Path: "Path", "路径";
    PointValid: "Valid", "有效";
    PointGone: "Gone", "已不存在";
    PointDisposed: "Disposed", "已清理";
    PointNewest: "newest", "最新";
    PointUsed: "in use", "使用中";
    Dispose: "Dispose", "清理";
    DisposeDots: "Dispose…", "清理…";
    DisposeTitle: "Dispose of this savepoint", "清理此保存点";
    DisposeEffect: "Its files are deleted from HDFS. No run can start from it any more. This cannot be undone.", "其文件将从 HDFS 删除，之后无法再由此启动，且不可撤销。";
    StartDots: "Start from…", "由此启动…";
    StartTitle: "Start {name}", "启动 {name}";
    StartFrom: "Start from", "启动来源";
    FromPoint: "A restore point", "恢复点";
    FromPointHint: "The job goes on where this state was taken.", "作业从该状态的时刻继续。";
    FromPath: "A path on HDFS", "HDFS 路径";
    FromPathHint: "A directory with a _metadata file: hdfs://… or /…", "含 _metadata 文件的目录：hdfs://… 或 /…";
    FromNothing: "Without state", "不带状态";
    FromNothingHint: "The job begins empty: what it counted and where it was in its sources is left behind.", "作业从空状态开始，已有的计算结果与读取位置将被弃用。";
    ClaimMode: "Files of the state", "状态文件归属";
    ClaimNo: "Leave them as they are", "保持原样";
    ClaimYes: "Hand them to the new run, which deletes them when no longer needed", "交给新运行，不再需要时由其删除";
    ClaimLegacy: "Leave them and build on them (Flink before 2.0)", "保留并继续引用（Flink 2.0 之前）";
    AllowNonRestored: "Leave out state that no operator takes", "忽略没有算子接收的状态";
    AllowNonRestoredHint: "Otherwise the job fails when an operator was removed.", "否则在删除算子后作业会失败。";
    RestoredFrom: "Started from", "启动来源";
    StepAwait: "Wait until it has ended", "等待结束";
    StepPending: "pending", "等待中";
    StepRunning: "running", "进行中";
    StepInDoubt: "in doubt", "待确认";
    StepDone: "done", "完成";
    StepFailed: "failed", "失败";
    Timeline: "Timeline", "时间线";
    History: "History", "历史";
    Evidence: "Evidence", "依据";
    EventState: "State", "状态变化";
    EventRequested: "Requested", "已请求";
    EventSubmit: "Submission", "提交";
    EventInDoubt: "In doubt", "待确认";
    EventStop: "Stop", "停止";
    EventSavepoint: "Savepoint", "保存点";
    EventNote: "Note", "备注";
    SourceRm: "YARN ResourceManager", "YARN 资源管理器";
    SourceFlink: "Flink REST", "Flink REST";
    SourceArchive: "Flink archive", "Flink 归档";
    SourceConsole: "console", "控制台";
    NoteStartRequested: "asked to start", "请求启动";
    NoteStopRequested: "asked to stop", "请求停止";
    NoteStopFailed: "the stop did not work", "停止未成功";
    NoteSavepointAccepted: "Flink writes the savepoint", "Flink 正在写入保存点";
    NoteSavepointTaken: "the savepoint is on HDFS", "保存点已写入 HDFS";
    NoteStopDeadline: "the time for the stop is over; the run goes on", "停止超时，运行继续";
    NoteSavepointRequested: "asked for a savepoint", "请求创建保存点";
    NoteSavepointFailed: "the savepoint did not work", "保存点未成功";
    NotePosting: "handed to the ResourceManager", "已提交给 ResourceManager";
    NoteAccepted: "confirmed by the ResourceManager", "ResourceManager 已确认";
    NoteInDoubt: "no answer: it is not known whether it arrived", "无应答，尚不知是否送达";
    NoteNeverArrived: "it never arrived; sent anew", "确认未送达，重新提交";
    NoteSubmitFailed: "the submission failed", "提交失败";
    NoteExplained: "the cause was found in the logs", "已从日志中找到原因";
    NoteForgotten: "the ResourceManager no longer knows it", "ResourceManager 已无记录";
    About: "About", "基本信息";
    Application: "Application", "应用";
    EngineJob: "Flink job", "Flink 作业";
    FinalStatus: "Final status", "最终状态";
    Snapshot: "Snapshot", "快照";
    StartedBy: "Started by", "启动者";
    StartedAt: "Started", "启动时间";
    AttemptsSeen: "Attempts seen", "已见尝试次数";
    Observed: "Observed", "观测时间";
    By: "by {who}", "来源：{who}";
    Used: "Used", "资源用量";
    CoreSeconds: "{n} vcore s", "{n} vCore·秒";
    MemorySeconds: "{n} GiB s", "{n} GiB·秒";
    EngineUi: "Flink UI", "Flink 界面";
    OpenEngineUi: "Open in a new tab", "在新标签页打开";
    Cause: "Cause", "原因";
    WhatWillBeSubmitted: "What will be submitted", "将要提交的内容";
    WhatWasSubmitted: "What was submitted", "已提交的内容";
    HadoopUser: "Hadoop user", "Hadoop 用户";
    MasterContainer: "ApplicationMaster", "ApplicationMaster 容器";
    Command: "Command", "启动命令";
    EngineConf: "Flink configuration", "Flink 配置";
    EnvVariables: "Environment variables", "环境变量";
    Acls: "Access lists", "访问控制";
    Files: "Files", "文件";

    // Logs.
    Log: "Log", "日志";
    NoLogs: "No log yet", "还没有日志";
    NoLogsHint: "Logs begin with the first container of a run.", "运行的首个容器启动后才有日志。";
    Container: "Container", "容器";
    File: "File", "日志文件";
    JobManager: "JobManager", "JobManager";
    TaskManager: "TaskManager", "TaskManager";
    Ended: "ended", "已结束";
    SearchLog: "Search the log", "搜索日志";
    GoToLine: "Line", "行号";
    LineCount: "{n} lines", "共 {n} 行";
    ErrorCount: "Errors {n}", "错误 {n}";
    WarningCount: "Warnings {n}", "警告 {n}";
    Follow: "Follow", "跟随";
    Wrap: "Wrap lines", "自动换行";
    NextError: "Next error", "下一个错误";
    Download: "Download", "下载";

    // Form.
    EditJob: "Edit job", "编辑作业";
    ScriptHint: "Statements end with a semicolon. A streaming script starts one job, a batch script one after the other.", "语句以分号结尾。流式脚本启动一个作业，批处理脚本逐条执行。";
    EditorLabel: "SQL script. Press Escape, then Tab to leave the editor.", "SQL 脚本。按 Esc 再按 Tab 离开编辑器。";
    StreamScript: "Streaming script, {n} INSERT in one job", "流式脚本，{n} 条 INSERT 合为一个作业";
    BatchScript: "Batch script, {n} jobs one after the other", "批处理脚本，依次执行 {n} 个作业";
    ExampleHint: "Begin with a script that needs nothing outside.", "可以从不依赖外部系统的示例开始。";
    InsertExample: "Insert example", "插入示例";
    UploadJar: "Upload a jar", "上传 jar";
    UploadHint: "Up to 512 MiB. An upload that breaks off goes on where it stopped.", "最大 512 MiB。中断后可断点续传。";
    Hashing: "Computing the checksum", "计算校验和";
    Sending: "Sending", "发送中";
    CheckingJar: "Looking into the jar", "检查 jar 内容";
    AlreadyStored: "Already stored, nothing was sent", "已存在，无需重新上传";
    Uploaded: "Uploaded", "上传完成";
    UploadBroken: "The connection broke. Choose the file again to go on.", "连接中断，请重新选择该文件以继续。";
    UploadCancelled: "Upload cancelled. Choose the file again to go on.", "上传已取消，重新选择该文件可继续。";
    CancelUpload: "Cancel the upload", "取消上传";
    ChooseJar: "Choose a jar", "选择 jar";
    ChooseClass: "Choose a class", "选择类";
    FromManifest: "from the manifest", "来自清单文件";
    MainClassHint: "Classes with a main method, found in the jar.", "从 jar 中找到的含 main 方法的类。";
    ArgumentsHint: "One per field, passed on exactly as typed, newlines too.", "每栏一个参数，原样传递，包括换行。";
    ArgumentN: "Argument {n}", "参数 {n}";
    AddArgument: "Add argument", "添加参数";
    ConfigurationHint: "Flink settings that pass through. Keys the console sets itself are refused.", "透传给 Flink 的设置。控制台自行设置的键不可使用。";
    Key: "Key", "键";
    ValueOf: "Value of", "取值：";
    AddSetting: "Add setting", "添加设置";
    OwnedKey: "The console sets this key itself.", "此键由控制台设置。";
    WhereItRuns: "Where it runs", "运行位置";
    NotPlaced: "not placed", "未放置";
    NoClusterYet: "There is no cluster your team may use.", "没有您的团队可用的集群。";
    NoEnvironmentYet: "There is no environment yet.", "还没有环境。";
    QueueFreeHint: "Your team has no queue on this cluster yet. Ask an administrator, or name one.", "您的团队在该集群上尚无队列。请联系管理员，或填写队列名。";
    ResourcesTitle: "Resources", "资源";
    Mebibytes: "MiB", "单位 MiB";
    VcoresHint: "Of a TaskManager. Empty: as many as slots.", "每个 TaskManager 的核数。留空则等于槽位数。";
    AttemptsHint: "A second attempt runs a batch INSERT twice.", "第二次尝试会使批处理 INSERT 执行两次。";
    TimeZoneHint: "For dates in SQL. Empty: as on the worker.", "用于 SQL 日期。留空则与工作节点一致。";
    TagsHint: "YARN tags, separated by blanks.", "YARN 标签，用空格分隔。";
    SaveAndStart: "Save and start", "保存并启动";
    FieldsRefused: "Not saved. Fields to change: {n}.", "尚未保存，需修改的字段：{n}。";
    CheckedFine: "Checked: nothing wrong found.", "检查完成，未发现问题。";
    DraftKept: "Draft kept in this browser {ago}, not saved", "草稿已存于此浏览器（{ago}），尚未保存";
    DraftRestored: "This is your unsaved draft from this browser.", "这是此浏览器中尚未保存的草稿。";
    DiscardDraft: "Discard the draft", "丢弃草稿";
    KeepDraft: "Go on with it", "继续编辑";
    ConflictTitle: "Somebody saved version {version} while you edited. Nothing is lost: compare and choose.", "在您编辑期间，他人已保存版本 {version}。内容没有丢失，请比较后选择。";
    Theirs: "Saved", "已保存的版本";
    Mine: "Yours", "您的版本";
    SaveMine: "Save yours on top", "以您的版本覆盖保存";
    TakeTheirs: "Take the saved one", "采用已保存的版本";

    // Clusters.
    RegisterCluster: "Register cluster", "注册集群";
    Register: "Register", "注册";
    NoClusters: "No cluster yet", "还没有集群";
    NoClustersHint: "Register one with its Hadoop client files.", "使用 Hadoop 客户端配置文件注册。";
    NoClusterForYou: "No cluster for you yet", "还没有您可用的集群";
    Answering: "Answering", "正常响应";
    NotAnswering: "Not answering", "无响应";
    NotSeenYet: "Not seen yet", "尚未响应";
    ResourceManagers: "ResourceManagers", "ResourceManager 地址";
    NameNodes: "NameNodes", "NameNode 地址";
    FileSystem: "File system", "文件系统";
    HdfsRoot: "HDFS root", "HDFS 根目录";
    OpenRuns: "Open runs", "未结束的运行";
    Seen: "Seen", "最近响应";
    Identity: "Identity mode", "身份模式";
    AdvisoryPermissions: "HDFS permissions are advisory in this mode: anybody may claim any name.", "此模式下 HDFS 权限仅供参考：任何人都可冒用任意用户名。";
    ServiceUser: "Service user", "服务用户";
    Grants: "Who may use it", "使用授权";
    GrantsHint: "Per team: its Hadoop user and its queues. An empty user leaves the team out.", "按团队填写 Hadoop 用户与队列。用户留空则不授权该团队。";
    HadoopUserOf: "Hadoop user of {team}", "{team} 的 Hadoop 用户";
    QueuesOf: "Queues of {team}", "{team} 的队列";
    CodeHint: "Short name used in jobs and addresses. It cannot change.", "用于作业与地址的短名称，之后不可更改。";
    ClientFiles: "Hadoop client files", "Hadoop 客户端配置文件";
    ClientFilesHint: "core-site.xml, hdfs-site.xml and yarn-site.xml.", "请选择 core-site.xml、hdfs-site.xml 和 yarn-site.xml。";
    OrDirectory: "Or a directory on the console host", "或控制台主机上的目录";
    ClientDirectoryHint: "It must lie below a directory the console may read.", "必须位于控制台允许读取的目录之下。";
    HdfsRootHint: "Where the console keeps its files.", "控制台存放文件的位置。";
    ServiceUserHint: "The console's own name on the cluster; an ordinary user.", "控制台在集群上的普通用户名。";
    IdentityHint: "simple: as the team's user. simple-doas: as the service user, acting for the team's.", "simple：以团队用户身份访问。simple-doas：以服务用户代理团队用户。";
    CheckResult: "Result of the check", "检查结果";
    Fine: "fine", "正常";
    ProbeResourceManager: "ResourceManager", "ResourceManager 连通";
    ProbeSubmission: "Submission over REST", "REST 提交";
    ProbeVersion: "Versions", "版本";
    ProbeClock: "Clocks", "时钟";
    ProbeNameNode: "NameNode", "NameNode 连通";
    ProbeDataNode: "DataNode", "DataNode 连通";
    ProbeRoot: "Root directory", "根目录";
    ProbeQueues: "Queues", "队列";
    ProbeWorkers: "Workers", "工作节点";
    ProbeLogs: "Logs", "日志";
    Queues: "Queues", "队列";
    Nodes: "Nodes", "节点";
    Node: "Node", "节点";
    Capacity: "Capacity", "容量";
    MaxCapacity: "At most", "最大容量";
    Applications: "Applications", "应用数";
    YouMay: "Yours", "可用";
    Memory: "Memory", "内存";
    VcoresUsed: "Vcores used", "已用 vCores";
    Containers: "Containers", "容器数";

    // Environments.
    EnvironmentsHint: "An engine distribution that jobs run on. It must lie on a cluster before a job can start there.", "作业运行所用的引擎发行版。须先放置到集群，作业才能在其上启动。";
    RegisterEnvironment: "Register environment", "注册环境";
    EnvironmentDirectoryHint: "With lib, plugins, opt and conf.", "包含 lib、plugins、opt 和 conf。";
    SharedByAll: "Shared by all teams", "所有团队共享";
    NoEnvironments: "No environment yet", "还没有环境";
    NoEnvironmentsHint: "Register the directory of a Flink distribution.", "请注册一个 Flink 发行版目录。";
    FileCount: "{n} files", "{n} 个文件";
    Placed: "Placed", "已放置";
    PlaceOnCluster: "Place on cluster", "放置到集群";
    PlaceAgain: "Verify again", "重新校验";

    // Tokens.
    TokensHint: "A token lets a script act as you over REST.", "脚本可使用令牌以您的身份调用 REST。";
    CreateToken: "Create token", "创建令牌";
    ValidDays: "Valid for days", "有效天数";
    TokenOnce: "Copy this token now: it is shown this once.", "请立即复制此令牌，它只显示这一次。";
    NoTokens: "No tokens", "没有令牌";
    NoTokensHint: "Create one for each script, so that each can be revoked by itself.", "请为每个脚本单独创建，便于分别吊销。";
    Created: "Created", "创建时间";
    Expires: "Expires", "到期时间";
    LastUsed: "Last used", "最近使用";
    Active: "active", "有效";
    Revoked: "revoked", "已吊销";
    Revoke: "Revoke", "吊销";
    RevokeDots: "Revoke…", "吊销…";
    RevokeTitle: "Revoke {name}", "吊销 {name}";
    RevokeEffect: "Scripts that use it are refused from now on. This cannot be undone.", "使用它的脚本将立即被拒绝，且无法撤销。";
}
