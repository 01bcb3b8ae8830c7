package io.penstock.spark;

import io.penstock.spark.Statement.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Splits a script at its semicolons the way Spark's own lexer reads text: a backslash escapes in
 * {@code '…'} and {@code "…"} (not after {@code r}), {@code `…`} doubles its quote, comments in
 * brackets nest, hints are no comments, and {@code BEGIN … END} is one statement.
 */
final class Splitter {
    private final String sql;
    private final List<Statement> statements = new ArrayList<>();
    private int at;
    private int line = 1;
    private int lineStart;
    /** Of the statement being read; -1 before its first token. */
    private int start = -1;
    private int startLine;
    private int startColumn;
    private int end;
    private int endLine;
    private final List<String> words = new ArrayList<>();
    private boolean as;
    private int brackets;
    /** Open BEGIN and CASE of a block. */
    private int depth;
    /** The word before was END: the next one may only say what ends. */
    private boolean afterEnd;

    private Splitter(String sql) {
        this.sql = sql;
    }

    static List<Statement> split(String sql) {
        Splitter splitter = new Splitter(sql);
        splitter.run();
        if (splitter.statements.isEmpty()) {
            throw new ScriptException("the script has no statement");
        }
        return splitter.statements;
    }

    private void run() {
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c <= ' ' || Character.isWhitespace(c) || c == '\u00a0' || c == '\ufeff') {
                skip(at + 1);
            } else if (sql.startsWith("--", at)) {
                skip(endOfLineComment());
            } else if (sql.startsWith("/*", at) && !sql.startsWith("/*+", at)) {
                skip(endOfComment());
            } else if (c == ';' && depth == 0) {
                finish();
                skip(at + 1);
            } else {
                token(c);
            }
        }
        finish();
    }

    private void token(char c) {
        if (start < 0) {
            start = at;
            startLine = line;
            startColumn = at - lineStart + 1;
        }
        int next = at + 1;
        if (c == '\'' || c == '"' || c == '`') {
            next = endOfQuoted(at, c, c != '`');
            word("");
        } else if (isWordPart(c)) {
            while (next < sql.length() && isWordPart(sql.charAt(next))) {
                next++;
            }
            String word = sql.substring(at, next).toUpperCase(Locale.ROOT);
            char quote = next < sql.length() ? sql.charAt(next) : ' ';
            if (word.equals("R") && (quote == '\'' || quote == '"')) {
                next = endOfQuoted(next, quote, false);
                word("");
            } else {
                word(word);
            }
        } else if (sql.startsWith("/*+", at)) {
            next = at + 3;
        } else {
            brackets += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (words.isEmpty()) {
                words.add(String.valueOf(c));
            }
            afterEnd = false;
        }
        skip(next);
        end = at;
        endLine = line;
    }

    private void word(String word) {
        if (words.size() < 6) {
            words.add(word);
        }
        as |= brackets == 0 && word.equals("AS");
        boolean opensBlock = words.size() == 1 && word.equals("BEGIN");
        if (depth > 0 || opensBlock || afterEnd) {
            if (word.equals("END")) {
                depth--;
                afterEnd = true;
                return;
            }
            // END IF, END WHILE and so on close what opened without counting.
            if (afterEnd && isOneOf(word, "IF", "WHILE", "LOOP", "REPEAT", "FOR")) {
                depth++;
            } else if (!afterEnd && isOneOf(word, "BEGIN", "CASE")) {
                depth++;
            }
        }
        afterEnd = false;
    }

    private static boolean isOneOf(String word, String... all) {
        for (String one : all) {
            if (word.equals(one)) {
                return true;
            }
        }
        return false;
    }

    private void finish() {
        if (start >= 0) {
            String text = sql.substring(start, end);
            statements.add(new Statement(statements.size() + 1, kind(), text, startLine, startColumn, endLine));
        }
        start = -1;
        words.clear();
        as = false;
        brackets = 0;
        depth = 0;
        afterEnd = false;
    }

    private Kind kind() {
        switch (words.get(0)) {
            case "SET":
            case "RESET":
                return Kind.SET;
            case "INSERT":
            case "MERGE":
            case "UPDATE":
            case "DELETE":
            case "LOAD":
                return Kind.INSERT;
            case "SELECT":
            case "VALUES":
            case "TABLE":
            case "(":
            case "MAP":
            case "REDUCE":
                return Kind.QUERY;
            case "FROM":
            case "WITH":
                return Kind.QUERY;
            case "SHOW":
            case "DESCRIBE":
            case "DESC":
            case "EXPLAIN":
            case "LIST":
            case "CALL":
            case "EXECUTE":
                return Kind.SHOW;
            case "BEGIN":
                return Kind.BLOCK;
            case "CREATE":
            case "REPLACE":
                return as && !words.contains("VIEW") && !words.contains("FUNCTION") ? Kind.INSERT : Kind.DDL;
            default:
                return Kind.DDL;
        }
    }

    private static boolean isWordPart(char c) {
        return c == '_' || Character.isLetterOrDigit(c) || Character.isSurrogate(c);
    }

    /** A backslash at the end of the line continues the comment. */
    private int endOfLineComment() {
        for (int i = at; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (c == '\\' && i + 1 < sql.length() && sql.charAt(i + 1) == '\n') {
                i++;
            } else if (c == '\n' || c == '\r') {
                return i;
            }
        }
        return sql.length();
    }

    private int endOfComment() {
        int open = 1;
        int i = at + 2;
        while (open > 0) {
            if (i >= sql.length()) {
                throw notClosed("comment", at);
            }
            if (sql.startsWith("/*", i)) {
                open++;
                i += 2;
            } else if (sql.startsWith("*/", i)) {
                open--;
                i += 2;
            } else {
                i++;
            }
        }
        return i;
    }

    private int endOfQuoted(int open, char quote, boolean backslash) {
        for (int i = open + 1; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (backslash && c == '\\') {
                i++;
            } else if (c == quote) {
                // A doubled quote closes and opens again, which comes to the same.
                return i + 1;
            }
        }
        throw notClosed(quote == '`' ? "quoted name" : "text", open);
    }

    private ScriptException notClosed(String what, int from) {
        skip(from);
        return new ScriptException("line " + line + ", column " + (from - lineStart + 1) + ": " + what + " is not closed");
    }

    /** Moves on, counting lines. */
    private void skip(int to) {
        for (; at < to; at++) {
            char c = sql.charAt(at);
            boolean crlf = c == '\r' && at + 1 < sql.length() && sql.charAt(at + 1) == '\n';
            if (c == '\n' || (c == '\r' && !crlf)) {
                line++;
                lineStart = at + 1;
            }
        }
    }
}
