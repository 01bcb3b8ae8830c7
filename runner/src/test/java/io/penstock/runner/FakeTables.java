package io.penstock.runner;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ResultKind;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableConfig;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** A table environment that plans nothing and writes down what it is asked. */
final class FakeTables {
    /** In order: {@code sql …}, {@code job …} at a start, {@code await …} at a wait. */
    final List<String> calls = new ArrayList<>();
    final TableConfig config = TableConfig.getDefault();
    Configuration head;
    /** Planning a statement that contains this fails. */
    String unplannable = "\0";
    /** Awaiting a job whose text contains this fails with {@link #jobFailure}. */
    String failing = "\0";
    Exception jobFailure = new IllegalStateException("boom");
    /** Rows of every query. */
    int rows = 3;

    TableEnvironment create(Configuration configuration) {
        head = configuration;
        return proxy(TableEnvironment.class, (self, method, args) -> {
            switch (method.getName()) {
                case "getConfig":
                    return config;
                case "executeSql":
                    String sql = ((String) args[0]).trim();
                    calls.add("sql " + sql);
                    boolean job = sql.startsWith("INSERT") || sql.startsWith("EXECUTE PLAN");
                    return job ? started(sql) : result(null, Collections.singletonList(Row.of("OK")), ResultKind.SUCCESS);
                case "createStatementSet":
                    return statementSet();
                case "sqlQuery":
                    return query(((String) args[0]).trim());
                default:
                    throw new UnsupportedOperationException(method.toString());
            }
        });
    }

    private StatementSet statementSet() {
        List<String> inserts = new ArrayList<>();
        return proxy(StatementSet.class, (self, method, args) -> {
            switch (method.getName()) {
                case "addInsertSql":
                    inserts.add(((String) args[0]).trim());
                    return self;
                case "execute":
                    return started(String.join(" + ", inserts));
                case "explain":
                    plan(String.join(" + ", inserts));
                    return "";
                default:
                    throw new UnsupportedOperationException(method.toString());
            }
        });
    }

    private Table query(String sql) {
        int[] limit = {Integer.MAX_VALUE};
        return proxy(Table.class, (self, method, args) -> {
            if (method.getName().equals("fetch")) {
                limit[0] = (Integer) args[0];
                return self;
            }
            calls.add("job " + sql);
            return result(sql, Collections.nCopies(Math.min(rows, limit[0]), Row.of("x\npenstock-event")), ResultKind.SUCCESS_WITH_CONTENT);
        });
    }

    private TableResult started(String sql) {
        plan(sql);
        calls.add("job " + sql);
        return result(sql, Collections.singletonList(Row.of(-1L)), ResultKind.SUCCESS_WITH_CONTENT);
    }

    private void plan(String sql) {
        if (sql.contains(unplannable)) {
            throw new IllegalArgumentException("cannot plan", new IllegalStateException("no such table"));
        }
    }

    private TableResult result(String job, List<Row> content, ResultKind kind) {
        return proxy(TableResult.class, (self, method, args) -> {
            switch (method.getName()) {
                case "getJobClient":
                    return Optional.ofNullable(job == null ? null : client());
                case "getResultKind":
                    return kind;
                case "getResolvedSchema":
                    return ResolvedSchema.of(Column.physical("c", DataTypes.STRING()));
                case "collect":
                    return closeable(content.iterator());
                case "await":
                    calls.add("await " + job);
                    if (job.contains(failing)) {
                        throw new java.util.concurrent.ExecutionException(jobFailure);
                    }
                    return null;
                default:
                    throw new UnsupportedOperationException(method.toString());
            }
        });
    }

    private static JobClient client() {
        return proxy(JobClient.class, (self, method, args) -> new JobID(1, 2));
    }

    private static CloseableIterator<Row> closeable(Iterator<Row> rows) {
        return CloseableIterator.adapterForIterator(rows);
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
