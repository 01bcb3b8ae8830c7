package io.penstock.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.spark.Statement.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SplitterTest {
    private static List<String> texts(String sql) {
        List<String> all = new ArrayList<>();
        for (Statement statement : Splitter.split(sql)) {
            all.add(statement.text);
        }
        return all;
    }

    @Test
    void semicolonsInTextsNamesAndCommentsDoNotSplit() {
        assertEquals(
                Arrays.asList("SELECT 'a;b\\';c', \"d;\", `e;``f`, r'\\'", "SELECT 1", "SELECT /*+ X(t) */ 2"),
                texts("-- a; b \\\n c;\nSELECT 'a;b\\';c', \"d;\", `e;``f`, r'\\' ; /* x; /* nested; */ ; */ SELECT 1;;"
                        + " SELECT /*+ X(t) */ 2 -- end;"));
    }

    @Test
    void blocksAreOneStatement() {
        String block = "BEGIN\n DECLARE x INT = 1;\n IF x > 0 THEN SELECT CASE WHEN x = 1 THEN 2 END; END IF;\n"
                + " WHILE x < 3 DO SET x = x + 1; END WHILE;\n CASE x WHEN 1 THEN SELECT 1; END CASE;\nEND";
        assertEquals(Arrays.asList(block, "SELECT 2"), texts(block + "; SELECT 2;"));
    }

    @Test
    void placesAreThoseOfTheScript() {
        Statement second = Splitter.split("SELECT 1;\r\n\r\n  INSERT INTO t\nSELECT 2;").get(1);
        assertEquals("3 3 4", second.line + " " + second.column + " " + second.endLine);
        assertEquals("\n\n  INSERT INTO t\nSELECT 2", second.textInPlace());
        assertEquals("INSERT INTO t", second.headline());
    }

    @Test
    void kindsFollowTheFirstWords() {
        Object[][] all = {
            {"set a.b=1", Kind.SET},
            {"insert overwrite t select 1", Kind.INSERT},
            {"create table t using parquet as select 1", Kind.INSERT},
            {"create table t (a int)", Kind.DDL},
            {"create or replace temp view v as select 1", Kind.DDL},
            {"create table t (a int default cast(1 as int))", Kind.DDL},
            {"(select 1)", Kind.QUERY},
            {"with x as (select 1) select * from x", Kind.QUERY},
            {"explain insert into t select 1", Kind.SHOW},
        };
        for (Object[] one : all) {
            assertEquals(one[1], Splitter.split((String) one[0]).get(0).kind, (String) one[0]);
        }
    }

    @Test
    void whatIsNotClosedIsNamedWithItsPlace() {
        ScriptException e = assertThrows(ScriptException.class, () -> Splitter.split("SELECT 1;\n SELECT 'a"));
        assertEquals("line 2, column 9: text is not closed", e.getMessage());
        assertThrows(ScriptException.class, () -> Splitter.split("/* /* */ SELECT 1"));
        assertThrows(ScriptException.class, () -> Splitter.split(" -- nothing\n;;"));
    }

    @Test
    void reasonsAreFreeOfPlansAndStacks() {
        assertEquals(
                "[TABLE_OR_VIEW_NOT_FOUND] The table cannot be found. SQLSTATE: 42P01; line 3 pos 14",
                Reason.shorten("[TABLE_OR_VIEW_NOT_FOUND] The table cannot be found. SQLSTATE: 42P01; line 3 pos 14;\n'Project [*]\n+- x"));
        assertEquals(
                "org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero.",
                Reason.shorten("Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent failure: Lost task 0.3"
                        + " in stage 1.0 (TID 4) (node1 executor 1): org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO]"
                        + " Division by zero.\n== SQL (line 1, position 8) ==\n\tat x"));
        assertEquals("ClassNotFoundException: a.B", Reason.of(new RuntimeException("x", new ClassNotFoundException("a.B"))));
        Throwable tried = new ClassNotFoundException("delta.DefaultSource");
        assertEquals("no source delta", Reason.of(new RuntimeException("no source delta", tried)));
        assertEquals("outer says", Reason.of(new RuntimeException("outer says", new NullPointerException())));
    }
}
