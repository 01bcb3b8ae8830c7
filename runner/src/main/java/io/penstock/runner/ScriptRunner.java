package io.penstock.runner;

import io.penstock.runner.Statement.Kind;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ResultKind;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Runs a script; see {@link FlinkSql} for what that means. */
final class ScriptRunner {
    private final List<Statement> statements;
    private final PrintStream out;
    private final Events events;
    /** What the script has SET and not RESET so far. */
    private final Map<String, String> set = new LinkedHashMap<>();
    /** Null: keep Flink's default. */
    private final String jobName;
    private int first;
    private boolean batch;
    private TableEnvironment tables;

    ScriptRunner(String script, String jobName, PrintStream out) {
        this.statements = Splitter.split(script);
        this.jobName = jobName;
        this.out = out;
        this.events = new Events(out, statements.size());
    }

    /**
     * Checks the whole script, then runs it. Returns when a streaming job is submitted, or when the
     * last statement of a batch script has ended or one of its jobs was cancelled.
     *
     * @param cluster configuration of the application
     * @param create makes the table environment out of the script's leading SETs
     */
    void run(ReadableConfig cluster, Function<Configuration, TableEnvironment> create) {
        takeLeadingSettings();
        Configuration head = Configuration.fromMap(set);
        RuntimeExecutionMode mode = head.getOptional(ExecutionOptions.RUNTIME_MODE)
                .orElseGet(() -> cluster.get(ExecutionOptions.RUNTIME_MODE));
        batch = mode == RuntimeExecutionMode.BATCH;
        head.set(ExecutionOptions.RUNTIME_MODE, mode);
        check();
        if (jobName != null && !head.contains(PipelineOptions.NAME)) {
            head.set(PipelineOptions.NAME, jobName);
        }
        tables = create.apply(head);
        if (batch) {
            runBatch();
        } else {
            runStreaming();
        }
    }

    private void takeLeadingSettings() {
        for (; first < statements.size(); first++) {
            Statement statement = statements.get(first);
            if (statement.kind != Kind.SET && statement.kind != Kind.RESET) {
                return;
            }
            attempt(statement, running -> {
                Setting setting = Setting.of(statement);
                if (setting.value != null) {
                    set.put(setting.key, setting.value);
                } else if (statement.kind == Kind.SET) {
                    list(setting);
                } else if (setting.key == null) {
                    set.clear();
                } else {
                    set.remove(setting.key);
                }
            });
        }
    }

    /** Refuses before anything is run what cannot end well. */
    private void check() {
        int jobs = 0;
        Statement plan = null;
        for (Statement statement : statements) {
            if (!batch && statement.kind == Kind.QUERY) {
                throw refused(statement, "a streaming script cannot show the rows of a SELECT; INSERT them into a table,"
                        + " or SET 'execution.runtime-mode' = 'batch' first");
            }
            if (!batch && statement.kind == Kind.CHANGE) {
                throw refused(statement, "UPDATE and DELETE need SET 'execution.runtime-mode' = 'batch' first");
            }
            if (statement.kind == Kind.PLAN) {
                plan = statement;
            }
            jobs += statement.kind.startsJob() ? 1 : 0;
        }
        if (jobs == 0) {
            throw new IllegalArgumentException("script has no INSERT: there is nothing to run as a job");
        }
        if (!batch && plan != null && jobs > 1) {
            throw refused(plan, "a plan is a job of its own and a streaming script is one job:"
                    + " it cannot stand beside other INSERTs");
        }
    }

    private void runBatch() {
        int jobs = 0;
        for (Statement statement : statements) {
            jobs += statement.kind.startsJob() ? 1 : 0;
        }
        for (Statement statement : statements.subList(first, statements.size())) {
            if (jobs > 1 && statement.kind.startsJob() && jobName != null && !set.containsKey(PipelineOptions.NAME.key())) {
                tables.getConfig().set(PipelineOptions.NAME.key(), jobName + " #" + statement.index);
            }
            if (!attempt(statement, running -> runNow(statement, running))) {
                out.println("+ cancelled in " + where(statement) + "; the statements after it are not run");
                return;
            }
        }
    }

    private void runStreaming() {
        StatementSet together = tables.createStatementSet();
        List<Statement> inserts = new ArrayList<>();
        List<Events.Running> pending = new ArrayList<>();
        for (Statement statement : statements.subList(first, statements.size())) {
            if (statement.kind != Kind.INSERT && statement.kind != Kind.STATEMENT_SET) {
                attempt(statement, running -> runNow(statement, running));
                continue;
            }
            Events.Running running = events.start(statement);
            addInserts(statement, together, running);
            inserts.add(statement);
            pending.add(running);
        }
        if (inserts.isEmpty()) {
            return;
        }
        TableResult result;
        try {
            result = together.execute();
        } catch (RuntimeException e) {
            throw failedTogether(inserts, pending, e);
        }
        for (Events.Running running : pending) {
            running.job(jobId(result));
            running.submitted();
        }
    }

    private void runNow(Statement statement, Events.Running running) throws Exception {
        switch (statement.kind) {
            case SET:
            case RESET:
                change(statement);
                return;
            case QUERY:
                // One more than is shown, to know whether there are more. The limit is part of the
                // query: leaving a result half read would cancel its job, and with it the application.
                await(tables.sqlQuery(statement.textInPlace()).fetch(ResultPrinter.MAX_ROWS + 1).execute(), true, running);
                return;
            case STATEMENT_SET:
                StatementSet inserts = tables.createStatementSet();
                for (Statement insert : statement.inner) {
                    inserts.addInsertSql(insert.textInPlace());
                }
                await(inserts.execute(), false, running);
                return;
            default:
                await(tables.executeSql(statement.textInPlace()), statement.kind == Kind.SHOW, running);
        }
    }

    private void await(TableResult result, boolean show, Events.Running running) throws Exception {
        running.job(jobId(result));
        if (show) {
            try (CloseableIterator<Row> rows = result.collect()) {
                running.rows(new ResultPrinter(out).print(result.getResolvedSchema().getColumnNames(), rows));
                while (rows.hasNext()) {
                    rows.next();
                }
            }
        } else if (!result.getJobClient().isPresent() && result.getResultKind() == ResultKind.SUCCESS_WITH_CONTENT) {
            // A DELETE that the table itself carried out.
            try (CloseableIterator<Row> rows = result.collect()) {
                Object count = rows.hasNext() ? rows.next().getField(0) : null;
                if (count instanceof Long) {
                    running.rows((Long) count);
                }
            }
        }
        if (result.getJobClient().isPresent() && batch) {
            result.await();
        } else if (result.getJobClient().isPresent()) {
            running.submitted();
        }
    }

    private void change(Statement statement) {
        Setting setting = Setting.of(statement);
        if (setting.key != null && setting.key.equals(ExecutionOptions.RUNTIME_MODE.key())
                && (setting.value != null || statement.kind == Kind.RESET)) {
            throw new ScriptException("'" + setting.key + "' can be changed only before the first other statement");
        }
        if (setting.value != null) {
            tables.getConfig().set(setting.key, setting.value);
            set.put(setting.key, setting.value);
        } else if (statement.kind == Kind.SET) {
            list(setting);
        } else if (setting.key != null) {
            forget(setting.key);
        } else {
            for (String key : new ArrayList<>(set.keySet())) {
                if (!key.equals(ExecutionOptions.RUNTIME_MODE.key())) {
                    forget(key);
                }
            }
        }
    }

    private void forget(String key) {
        set.remove(key);
        tables.getConfig().getConfiguration().removeKey(key);
        if (jobName != null && key.equals(PipelineOptions.NAME.key())) {
            tables.getConfig().set(key, jobName);
        }
    }

    private void list(Setting setting) {
        for (Map.Entry<String, String> entry : new TreeMap<>(set).entrySet()) {
            if (setting.key == null || setting.key.equals(entry.getKey())) {
                out.println("| '" + entry.getKey() + "' = '" + entry.getValue().replaceAll("\\p{Cntrl}", " ") + "'");
            }
        }
    }

    private void addInserts(Statement statement, StatementSet together, Events.Running running) {
        List<Statement> parts = new ArrayList<>(statement.inner);
        if (parts.isEmpty()) {
            parts.add(statement);
        }
        for (Statement part : parts) {
            try {
                together.addInsertSql(part.textInPlace());
            } catch (RuntimeException e) {
                throw failed(part, running, e);
            }
        }
    }

    /**
     * Planning several INSERTs as one job tells only that one of them is wrong. Planning each alone
     * finds which; nothing is started by that.
     */
    private ScriptException failedTogether(List<Statement> inserts, List<Events.Running> pending, RuntimeException failure) {
        for (int i = 0; i < inserts.size(); i++) {
            Statement statement = inserts.get(i);
            try {
                StatementSet alone = tables.createStatementSet();
                addInserts(statement, alone, pending.get(i));
                alone.explain();
            } catch (ScriptException e) {
                return e;
            } catch (RuntimeException e) {
                return failed(statement, pending.get(i), e);
            }
        }
        return failed(inserts.get(0), pending.get(0), failure);
    }

    /** Runs one statement; false if its job was cancelled. Any other failure is thrown. */
    private boolean attempt(Statement statement, Action action) {
        Events.Running running = events.start(statement);
        try {
            action.run(running);
            running.finished();
        } catch (Exception | LinkageError e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            if (Causes.isCancelled(e)) {
                running.cancelled();
                return false;
            }
            throw failed(statement, running, e);
        }
        return true;
    }

    private ScriptException failed(Statement statement, Events.Running running, Throwable cause) {
        String reason = Causes.root(cause);
        running.failed(reason);
        return new ScriptException(where(statement) + " failed: " + reason, cause);
    }

    private ScriptException refused(Statement statement, String why) {
        return new ScriptException(where(statement) + ": " + why);
    }

    private String where(Statement statement) {
        return "statement " + statement.index + " of " + statements.size()
                + " (line " + statement.line + ": " + statement.headline() + ")";
    }

    private static String jobId(TableResult result) {
        return result.getJobClient().map(client -> client.getJobID().toString()).orElse(null);
    }

    private interface Action {
        void run(Events.Running running) throws Exception;
    }
}
