package io.penstock.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.client.JobCancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptRunnerTest {
    private static final String BATCH = "SET 'execution.runtime-mode' = 'batch';\n";

    private final FakeTables tables = new FakeTables();
    private final Configuration cluster = new Configuration();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private void run(String script) {
        try {
            PrintStream out = new PrintStream(bytes, true, "UTF-8");
            new ScriptRunner(script, "the job", out).run(cluster, tables::create);
        } catch (java.io.UnsupportedEncodingException e) {
            throw new AssertionError(e);
        }
    }

    private List<String> lines() {
        return Arrays.asList(new String(bytes.toByteArray(), StandardCharsets.UTF_8).split("\n"));
    }

    /** {@code index kind state} of each event. */
    private List<String> events() {
        return lines().stream()
                .filter(line -> line.startsWith(Events.PREFIX))
                .map(line -> line.replaceAll(".*\"index\":(\\d+),.*\"kind\":\"(\\w+)\",\"state\":\"(\\w+)\".*", "$1 $2 $3"))
                .collect(Collectors.toList());
    }

    @Test
    void streamingInsertsAreOneJob() {
        run("CREATE TABLE a; INSERT INTO a SELECT 1; USE x; BEGIN STATEMENT SET; INSERT INTO b SELECT 2; INSERT INTO c SELECT 3; END;");
        assertEquals(
                Arrays.asList("sql CREATE TABLE a", "sql USE x", "job INSERT INTO a SELECT 1 + INSERT INTO b SELECT 2 + INSERT INTO c SELECT 3"),
                tables.calls);
        assertEquals("STREAMING", tables.head.toMap().get("execution.runtime-mode"));
        assertEquals(
                Arrays.asList("1 ddl started", "1 ddl finished", "2 insert started", "3 ddl started", "3 ddl finished",
                        "4 statement_set started", "2 insert submitted", "4 statement_set submitted"),
                events());
        assertTrue(lines().get(lines().size() - 1).contains("\"job\":\"00000000000000010000000000000002\""), lines()::toString);
    }

    @Test
    void batchStatementsAreAwaitedInOrder() {
        run(BATCH + "INSERT INTO a SELECT 1; EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT 2; INSERT INTO c SELECT 3; END; USE x; INSERT INTO d SELECT 4");
        assertEquals(
                Arrays.asList("sql INSERT INTO a SELECT 1", "job INSERT INTO a SELECT 1", "await INSERT INTO a SELECT 1",
                        "job INSERT INTO b SELECT 2 + INSERT INTO c SELECT 3", "await INSERT INTO b SELECT 2 + INSERT INTO c SELECT 3",
                        "sql USE x", "sql INSERT INTO d SELECT 4", "job INSERT INTO d SELECT 4", "await INSERT INTO d SELECT 4"),
                tables.calls);
    }

    @Test
    void modeComesFromTheApplicationUnlessTheScriptSaysOtherwise() {
        cluster.setString("execution.runtime-mode", "BATCH");
        run("INSERT INTO a SELECT 1");
        assertTrue(tables.calls.contains("await INSERT INTO a SELECT 1"), tables.calls::toString);
        tables.calls.clear();
        run("SET 'execution.runtime-mode' = 'streaming'; INSERT INTO a SELECT 1");
        assertEquals(Collections.singletonList("job INSERT INTO a SELECT 1"), tables.calls);
    }

    @Test
    void leadingSettingsConfigureTheEnvironmentLaterOnesTheTables() {
        run("SET 'a' = '1'; SET 'b' = '2'; RESET 'b'; USE x; SET 'c' = '3'; SET 'd' = '4'; RESET 'd'; INSERT INTO a SELECT 1");
        assertEquals("1", tables.head.toMap().get("a"));
        assertFalse(tables.head.toMap().containsKey("b"));
        assertFalse(tables.head.toMap().containsKey("c"));
        assertEquals("3", tables.config.getConfiguration().toMap().get("c"));
        assertFalse(tables.config.getConfiguration().toMap().containsKey("d"));
        assertEquals("the job", tables.head.toMap().get("pipeline.name"));
    }

    @Test
    void scriptsOwnNameWins() {
        run("SET 'pipeline.name' = 'mine'; " + BATCH + "INSERT INTO a SELECT 1; INSERT INTO b SELECT 1");
        assertEquals("mine", tables.head.toMap().get("pipeline.name"));
        assertFalse(tables.config.getConfiguration().toMap().containsKey("pipeline.name"));
    }

    @Test
    void jobsOfABatchScriptCanBeToldApart() {
        run(BATCH + "INSERT INTO a SELECT 1; INSERT INTO b SELECT 1");
        assertEquals("the job #3", tables.config.getConfiguration().toMap().get("pipeline.name"));
    }

    @Test
    void failedJobEndsTheScriptAndIsNamed() {
        tables.failing = "INTO b";
        ScriptException e = assertThrows(ScriptException.class,
                () -> run(BATCH + "INSERT INTO a SELECT 1;\nINSERT INTO b\n SELECT 2;\nINSERT INTO c SELECT 3"));
        assertEquals("statement 3 of 4 (line 3: INSERT INTO b) failed: boom", e.getMessage());
        assertSame(tables.jobFailure, e.getCause().getCause());
        assertFalse(tables.calls.stream().anyMatch(call -> call.contains("INTO c")), tables.calls::toString);
        assertTrue(lines().get(lines().size() - 1).contains("\"state\":\"failed\""), lines()::toString);
        assertTrue(lines().get(lines().size() - 1).endsWith("\"error\":\"boom\"}"), lines()::toString);
    }

    @Test
    void cancelledJobEndsTheScriptWithoutFailure() {
        tables.failing = "INTO a";
        tables.jobFailure = new JobCancellationException(null, "Job was cancelled.", null);
        run(BATCH + "INSERT INTO a SELECT 1; INSERT INTO b SELECT 2");
        assertFalse(tables.calls.stream().anyMatch(call -> call.contains("INTO b")), tables.calls::toString);
        assertEquals("2 insert cancelled", events().get(events().size() - 1));
    }

    @Test
    void wrongInsertOfAStreamingScriptIsFound() {
        tables.unplannable = "INTO b";
        ScriptException e = assertThrows(ScriptException.class, () -> run("INSERT INTO a SELECT 1;\nINSERT INTO b SELECT 2;"));
        assertEquals("statement 2 of 2 (line 2: INSERT INTO b SELECT 2) failed: no such table", e.getMessage());
        assertEquals(Collections.emptyList(), tables.calls);
        assertEquals("2 insert failed", events().get(events().size() - 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "USE a", "CREATE TABLE a; SHOW TABLES; EXPLAIN SELECT 1", BATCH, BATCH + "USE a"})
    void scriptWithoutJobIsRefusedBeforeAnythingRuns(String script) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> run(script));
        assertTrue(e.getMessage().startsWith("script has no INSERT"), e.getMessage());
        assertEquals(Collections.emptyList(), tables.calls);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT 1", "UPDATE t SET a = 1", "DELETE FROM t", "EXECUTE PLAN 'p'"})
    void whatAStreamingScriptCannotDoIsRefusedBeforeAnythingRuns(String statement) {
        ScriptException e = assertThrows(ScriptException.class, () -> run("INSERT INTO a SELECT 1;\n" + statement));
        assertTrue(e.getMessage().startsWith("statement 2 of 2 (line 2: " + statement + "): "), e.getMessage());
        assertEquals(Collections.emptyList(), tables.calls);
    }

    @Test
    void aPlanAloneIsAStreamingJob() {
        run("EXECUTE PLAN 'p'");
        assertEquals(Arrays.asList("sql EXECUTE PLAN 'p'", "job EXECUTE PLAN 'p'"), tables.calls);
        assertEquals(Arrays.asList("1 plan started", "1 plan submitted"), events());
    }

    @Test
    void modeCannotChangeLater() {
        ScriptException e = assertThrows(ScriptException.class,
                () -> run("USE a; SET 'execution.runtime-mode' = 'batch'; INSERT INTO a SELECT 1"));
        assertTrue(e.getMessage().contains("statement 2 of 3 (line 1"), e.getMessage());
    }

    @Test
    void selectShowsALimitedNumberOfRowsAndNoValueLooksLikeAnEvent() {
        tables.rows = 1_000_000;
        run(BATCH + "SELECT c FROM a");
        assertEquals(1000, lines().stream().filter(line -> line.startsWith("| x ")).count());
        assertTrue(lines().contains("+ only the first 1000 rows are shown"));
        assertEquals(Arrays.asList("1 set started", "1 set finished", "2 query started", "2 query finished"), events());
        assertTrue(lines().get(lines().size() - 1).contains("\"rows\":1000"), lines().get(lines().size() - 1));
    }

    @Test
    void eventsAreAscii() {
        ScriptException e = assertThrows(ScriptException.class, () -> run("SET 'ü\"\\\n' 'x'"));
        assertTrue(e.getMessage().contains("ü"), e.getMessage());
        assertTrue(lines().stream().allMatch(line -> line.matches("[ -~]*")), lines()::toString);
    }
}
