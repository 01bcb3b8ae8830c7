package io.penstock.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.runner.Statement.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SplitterTest {
    private static List<String> texts(String script) {
        return Splitter.split(script).stream().map(s -> s.text).collect(Collectors.toList());
    }

    private static Statement only(String script) {
        List<Statement> all = Splitter.split(script);
        assertEquals(1, all.size(), () -> "statements of " + script);
        return all.get(0);
    }

    @Test
    void nothingIsNoStatement() {
        for (String script : Arrays.asList("", " \n\t", ";", ";;\n;", "-- only this", "/* and; this */;", "\ufeff")) {
            assertEquals(0, Splitter.split(script).size(), script);
        }
    }

    @Test
    void semicolonsEndStatementsAndTheLastOneIsOptional() {
        assertEquals(Arrays.asList("USE a", "USE b", "USE c"), texts("USE a;USE b ;\n USE c"));
        assertEquals(Arrays.asList("USE a"), texts("\ufeffUSE a;"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "SELECT ';'", "SELECT 'it''s; fine'", "SELECT '', ';'", "SELECT \"a;b\"", "SELECT \"a\"\";b\"",
        "SELECT `a;b`", "SELECT `a``;b`", "SELECT 1 /* ; */ + 1", "SELECT 1 -- ; '\n + 1", "SELECT 1 // ; '\n + 1",
        "SELECT 1 /* it's -- */ + 1", "SELECT '-- no comment', '/*'", "SELECT E'it\\'s; \\\\' , 1", "SELECT 'a\\', 1",
        "SELECT * FROM t /*+ OPTIONS('k'=';*/') */ WHERE a", "SELECT 'ü;𝄞', `𝄞;`", "SELECT name'x;' FROM t",
    })
    void semicolonInsideIsKept(String statement) {
        assertEquals(Arrays.asList(statement, "USE b"), texts(statement + ";USE b"));
    }

    @Test
    void commentsAroundAreDroppedAndHintsKept() {
        assertEquals(
                Arrays.asList("SELECT * FROM t /*+ OPTIONS('a'='b') */", "USE /* inner */ b"),
                texts("-- head\n/* more */ SELECT * FROM t /*+ OPTIONS('a'='b') */ -- tail\n;/**/USE /* inner */ b/* tail */"));
    }

    @Test
    void positionsAreThoseOfTheScript() {
        List<Statement> all = Splitter.split("USE a;\r\n-- c\n  USE\n'b'\r;USE c");
        assertEquals(1, all.get(0).line);
        assertEquals(3, all.get(1).line);
        assertEquals(3, all.get(1).column);
        assertEquals(4, all.get(1).endLine);
        assertEquals(5, all.get(2).line);
        assertEquals(2, all.get(2).column);
        assertEquals("\n\n  USE\n'b'", all.get(1).textInPlace());
        assertEquals(3, all.get(2).index);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "SET 'a' = 'b' | SET", "set | SET", "RESET | RESET", "reSET 'a' | RESET",
        "CREATE TABLE t (a INT, b AS a + 1) | DDL", "CREATE VIEW v AS SELECT 1 | DDL", "DROP TABLE t | DDL",
        "CREATE TEMPORARY TABLE t (a INT) | DDL", "CREATE FUNCTION f AS x.Y | DDL", "CREATE TABLE t LIKE u | DDL",
        "CREATE TABLE t AS SELECT 1 | INSERT", "create table if not exists a.b with (x=y) as select 1 | INSERT",
        "CREATE OR REPLACE TABLE t AS SELECT 1 | INSERT", "REPLACE TABLE t AS SELECT 1 | INSERT",
        "CREATE TABLE `as` (`as` INT) | DDL",
        "INSERT INTO t SELECT 1 | INSERT", "insert overwrite t values (1) | INSERT", "EXECUTE INSERT INTO t VALUES (1) | INSERT",
        "SELECT 1 | QUERY", "WITH a AS (SELECT 1) SELECT * FROM a | QUERY", "(SELECT 1) UNION (SELECT 2) | QUERY",
        "VALUES (1) | QUERY", "EXECUTE SELECT 1 | QUERY",
        "UPDATE t SET a = 1 | CHANGE", "DELETE FROM t | CHANGE", "TRUNCATE TABLE t | DDL",
        "SHOW TABLES | SHOW", "DESC t | SHOW", "DESCRIBE t | SHOW", "EXPLAIN SELECT 1 | SHOW", "CALL p(1) | SHOW",
        "COMPILE PLAN 'p' FOR INSERT INTO t SELECT 1 | DDL", "EXECUTE PLAN 'p' | PLAN",
        "COMPILE AND EXECUTE PLAN 'p' FOR INSERT INTO t SELECT 1 | PLAN",
        "ADD JAR 'x' | DDL", "USE MODULES a | DDL", "BEGIN | DDL", "execute | DDL", "'text' | DDL",
    }, quoteCharacter = '^')
    void kinds(String statement, Kind kind) {
        assertEquals(kind, only(statement + ";").kind);
        assertEquals(kind, only("/* c */ " + statement).kind);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN x THEN ';' END; INSERT INTO b SELECT 2; END",
        "execute /* c */ statement\nset begin -- d\n insert into a select case when x then ';' end;;\n insert into b select 2;\nend",
        "BEGIN STATEMENT SET; INSERT INTO a SELECT CASE WHEN x THEN ';' END; INSERT INTO b SELECT 2; END",
        "begin statement set ; EXECUTE INSERT INTO a SELECT 1; INSERT INTO b SELECT 2 /* c */ ; /* d */ END /* e */",
    })
    void statementSetIsOneStatement(String set) {
        List<Statement> all = Splitter.split("USE a; " + set + ";\nUSE b;");
        assertEquals(Arrays.asList(Kind.DDL, Kind.STATEMENT_SET, Kind.DDL), all.stream().map(s -> s.kind).collect(Collectors.toList()));
        List<Statement> inner = all.get(1).inner;
        assertEquals(2, inner.size());
        assertTrue(inner.stream().allMatch(s -> s.kind == Kind.INSERT && s.index == 2));
        assertTrue(inner.get(0).text.trim().toUpperCase().startsWith("INSERT INTO A"), inner.get(0).text);
        assertTrue(inner.get(1).text.toUpperCase().startsWith("INSERT INTO B SELECT 2"), inner.get(1).text);
        assertEquals(2, only(set).inner.size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END | SHOW",
        "EXPLAIN ESTIMATED_COST, CHANGELOG_MODE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END | SHOW",
        "COMPILE PLAN 'p' IF NOT EXISTS FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END | DDL",
        "COMPILE AND EXECUTE PLAN 'p' FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END | PLAN",
    }, quoteCharacter = '^')
    void otherStatementsWithASetPassAsTheyAre(String statement, Kind kind) {
        List<Statement> all = Splitter.split(statement + ";USE a");
        assertEquals(2, all.size());
        assertEquals(kind, all.get(0).kind);
        assertEquals(statement, all.get(0).text);
        assertTrue(all.get(0).inner.isEmpty());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "SELECT 'a | line 1, column 8: text is not closed",
        "USE a; @  SELECT `a | line 2, column 10: quoted name is not closed",
        "USE a; @ /* a | line 2, column 2: comment is not closed",
        "USE a; @ EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; | statement 2 (line 2): the statement set has no END",
        "BEGIN STATEMENT SET; @ USE a; END | statement 1 (line 2): a statement set may hold INSERT statements only",
        "BEGIN STATEMENT SET; END | statement 1 (line 1): the statement set is empty",
    }, quoteCharacter = '^')
    void whatIsNotClosedIsSaid(String script, String message) {
        ScriptException e = assertThrows(ScriptException.class, () -> Splitter.split(script.replace('@', '\n')));
        assertEquals(message, e.getMessage());
    }

    @Test
    void headlineIsShort() {
        assertEquals("INSERT INTO a", only("INSERT INTO a\nSELECT 1").headline());
        String longest = only("SELECT '" + new String(new char[300]).replace('\0', 'x') + "'").headline();
        assertEquals(81, longest.length());
    }

    @Test
    void largeScriptIsSplitInOneWalk() {
        StringBuilder script = new StringBuilder();
        for (int i = 0; i < 50_000; i++) {
            script.append("INSERT INTO t VALUES (").append(i).append(", 'some text; and more');\n");
        }
        List<Statement> all = Splitter.split(script.toString());
        assertEquals(50_000, all.size());
        assertEquals(50_000, all.get(49_999).line);
    }
}
