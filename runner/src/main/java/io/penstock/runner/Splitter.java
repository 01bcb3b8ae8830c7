package io.penstock.runner;

import io.penstock.runner.Statement.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Cuts a script into statements. A semicolon ends a statement, except inside text, quoted names,
 * comments and statement sets: {@code … STATEMENT SET BEGIN a; b; END} (with EXECUTE, EXPLAIN or
 * COMPILE PLAN before it) and {@code BEGIN STATEMENT SET; a; b; END} are one statement each.
 */
final class Splitter {
    /** Enough words to tell every kind: {@code COMPILE AND EXECUTE PLAN … FOR STATEMENT SET BEGIN}. */
    private static final int WORDS = 16;

    private final String script;
    private final Lexer lexer;
    private final List<Statement> statements = new ArrayList<>();

    private Splitter(String script) {
        this.script = script;
        this.lexer = new Lexer(script);
    }

    /**
     * @throws ScriptException if a text, a comment or a statement set is not closed
     */
    static List<Statement> split(String script) {
        Splitter splitter = new Splitter(script);
        while (splitter.readStatement()) {
            continue;
        }
        return splitter.statements;
    }

    /** Reads up to a top-level semicolon or the end; false when the script is over. */
    private boolean readStatement() {
        Span whole = new Span();
        List<Span> parts = new ArrayList<>();
        Span part = new Span();
        boolean inSet = false;
        while (true) {
            Lexer.Token token = lexer.advance();
            if (token == Lexer.Token.END) {
                if (inSet && !part.isEnd()) {
                    throw new ScriptException(whole.where(statements.size() + 1) + ": the statement set has no END");
                }
                add(whole, inSet ? parts : null);
                return false;
            }
            if (token == Lexer.Token.SEMICOLON) {
                if (!inSet && whole.startsWith("BEGIN", "STATEMENT", "SET") && whole.count == 3) {
                    inSet = true;
                } else if (!inSet) {
                    add(whole, null);
                    return true;
                } else if (part.isEnd()) {
                    add(whole, parts);
                    return true;
                } else if (part.count > 0) {
                    parts.add(part);
                }
                part = new Span();
                whole.extend(lexer);
                continue;
            }
            whole.take(token, lexer);
            if (inSet) {
                part.take(token, lexer);
            } else if (whole.opensSet) {
                inSet = true;
            }
        }
    }

    private void add(Span span, List<Span> parts) {
        if (span.count == 0) {
            return;
        }
        int index = statements.size() + 1;
        Kind kind = span.kind();
        List<Statement> inner = Collections.emptyList();
        if (kind == Kind.STATEMENT_SET) {
            inner = new ArrayList<>();
            for (Span part : parts == null ? Collections.<Span>emptyList() : parts) {
                if (part.kind() != Kind.INSERT) {
                    throw new ScriptException(part.where(index) + ": a statement set may hold INSERT statements only");
                }
                inner.add(statement(part, index, Kind.INSERT, Collections.emptyList()));
            }
            if (inner.isEmpty()) {
                throw new ScriptException(span.where(index) + ": the statement set is empty");
            }
        }
        statements.add(statement(span, index, kind, inner));
    }

    private Statement statement(Span span, int index, Kind kind, List<Statement> inner) {
        String text = script.substring(span.start, span.end);
        // EXECUTE before INSERT or SELECT says nothing; the Table API methods used do not take it.
        if (span.startsWith("EXECUTE") && (kind == Kind.INSERT || kind == Kind.QUERY)) {
            text = "       " + text.substring("EXECUTE".length());
        }
        return new Statement(index, kind, text, span.line, span.column, span.endLine, inner);
    }

    /** The tokens from the first to the last that is no comment. */
    private static final class Span {
        final List<String> words = new ArrayList<>();
        int start;
        int end;
        int line;
        int column;
        int endLine;
        int count;
        boolean opensSet;
        /** A word AS outside all brackets was seen. */
        private boolean as;
        private int depth;
        private int setProgress;

        void take(Lexer.Token token, Lexer lexer) {
            if (count == 0) {
                start = lexer.start();
                line = lexer.line();
                column = lexer.column();
            }
            count++;
            extend(lexer);
            boolean word = token == Lexer.Token.WORD;
            if (words.size() < WORDS) {
                words.add(word ? lexer.text().toUpperCase(Locale.ROOT) : token == Lexer.Token.OPEN ? "(" : "");
            }
            if (token == Lexer.Token.OPEN) {
                depth++;
            } else if (token == Lexer.Token.CLOSE) {
                depth--;
            } else if (word && depth == 0 && lexer.is("AS")) {
                as = true;
            }
            setProgress = word ? advanceSet(lexer) : 0;
            opensSet = setProgress == 3;
        }

        /** How much of STATEMENT SET BEGIN the last words are. */
        private int advanceSet(Lexer lexer) {
            if (setProgress == 1 && lexer.is("SET")) {
                return 2;
            }
            if (setProgress == 2 && lexer.is("BEGIN")) {
                return 3;
            }
            return lexer.is("STATEMENT") ? 1 : 0;
        }

        void extend(Lexer lexer) {
            end = lexer.end();
            endLine = lexer.endLine();
        }

        boolean isEnd() {
            return count == 1 && words.get(0).equals("END");
        }

        boolean startsWith(String... keywords) {
            if (words.size() < keywords.length) {
                return false;
            }
            for (int i = 0; i < keywords.length; i++) {
                if (!words.get(i).equals(keywords[i])) {
                    return false;
                }
            }
            return true;
        }

        String where(int index) {
            return "statement " + index + " (line " + line + ")";
        }

        Kind kind() {
            switch (words.get(0)) {
                case "SET":
                    return Kind.SET;
                case "RESET":
                    return Kind.RESET;
                case "INSERT":
                    return Kind.INSERT;
                case "UPDATE":
                case "DELETE":
                    return Kind.CHANGE;
                case "SELECT":
                case "WITH":
                case "VALUES":
                case "(":
                    return Kind.QUERY;
                case "SHOW":
                case "DESCRIBE":
                case "DESC":
                case "EXPLAIN":
                case "CALL":
                    return Kind.SHOW;
                case "BEGIN":
                    return startsWith("BEGIN", "STATEMENT", "SET") ? Kind.STATEMENT_SET : Kind.DDL;
                case "EXECUTE":
                    return executed();
                case "COMPILE":
                    return startsWith("COMPILE", "AND", "EXECUTE") ? Kind.PLAN : Kind.DDL;
                case "CREATE":
                case "REPLACE":
                    return as && createsTable() ? Kind.INSERT : Kind.DDL;
                default:
                    return Kind.DDL;
            }
        }

        private Kind executed() {
            switch (words.size() > 1 ? words.get(1) : "") {
                case "STATEMENT":
                    return Kind.STATEMENT_SET;
                case "PLAN":
                    return Kind.PLAN;
                case "INSERT":
                    return Kind.INSERT;
                case "SELECT":
                case "WITH":
                case "VALUES":
                case "(":
                    return Kind.QUERY;
                default:
                    return Kind.DDL;
            }
        }

        private boolean createsTable() {
            return startsWith("CREATE", "TABLE")
                    || startsWith("CREATE", "OR", "REPLACE", "TABLE")
                    || startsWith("REPLACE", "TABLE");
        }
    }
}
