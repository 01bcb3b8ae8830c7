package io.penstock.runner;

/**
 * Walks over SQL text token by token, as far as a splitter needs it: it knows what is text, quoted
 * name or comment, and nothing about grammar.
 *
 * <p>Comments ({@code --}, {@code //}, {@code /*}) are skipped. A hint ({@code /*+ … *}{@code /}) is
 * not a comment: its opening is a token and its content is read like any other SQL, so a quoted
 * {@code *}{@code /} inside it does not end it.
 */
final class Lexer {
    enum Token {
        /** A keyword, plain name or number. */
        WORD,
        /** {@code '…'}, {@code "…"} or {@code `…`}. */
        QUOTED,
        SEMICOLON,
        OPEN,
        CLOSE,
        /** Any other single character, or the opening of a hint. */
        OTHER,
        END
    }

    private final String sql;
    private int next;
    private int start;
    private int startLine = 1;
    private int startColumn = 1;
    private int counted;
    private int line = 1;
    private int lineStart;

    Lexer(String sql) {
        this.sql = sql;
    }

    /** Reads one token; afterwards the accessors describe it. */
    Token advance() {
        skipBlanksAndComments();
        start = next;
        countLinesTo(start);
        startLine = line;
        startColumn = start - lineStart + 1;
        if (start >= sql.length()) {
            return Token.END;
        }
        char c = sql.charAt(start);
        if (c == '\'' || c == '"' || c == '`') {
            next = endOfQuoted(start, false);
            return Token.QUOTED;
        }
        if (isWordPart(c)) {
            int end = start + 1;
            while (end < sql.length() && isWordPart(sql.charAt(end))) {
                end++;
            }
            if (end - start == 1 && (c == 'E' || c == 'e') && end < sql.length() && sql.charAt(end) == '\'') {
                next = endOfQuoted(end, true);
                return Token.QUOTED;
            }
            next = end;
            return Token.WORD;
        }
        next = start + (sql.startsWith("/*+", start) ? 3 : 1);
        switch (c) {
            case ';':
                return Token.SEMICOLON;
            case '(':
                return Token.OPEN;
            case ')':
                return Token.CLOSE;
            default:
                return Token.OTHER;
        }
    }

    /** First character of the token, as an index into the text. */
    int start() {
        return start;
    }

    /** One past the last character of the token. */
    int end() {
        return next;
    }

    /** Line of the token, from 1. */
    int line() {
        return startLine;
    }

    /** Column of the token, from 1. */
    int column() {
        return startColumn;
    }

    /** Text of the token. */
    String text() {
        return sql.substring(start, next);
    }

    /** True if the token is this keyword, in any case. */
    boolean is(String keyword) {
        return next - start == keyword.length() && sql.regionMatches(true, start, keyword, 0, keyword.length());
    }

    /** Line of the last character of the token, from 1. */
    int endLine() {
        countLinesTo(next);
        return line;
    }

    private static boolean isWordPart(char c) {
        return c == '_' || c == '$' || Character.isLetterOrDigit(c) || Character.isSurrogate(c);
    }

    private void skipBlanksAndComments() {
        while (next < sql.length()) {
            char c = sql.charAt(next);
            if (c <= ' ' || Character.isWhitespace(c) || c == '\u00a0' || c == '\ufeff') {
                next++;
            } else if (sql.startsWith("--", next) || (sql.startsWith("//", next) && !followsColon())) {
                while (next < sql.length() && sql.charAt(next) != '\n' && sql.charAt(next) != '\r') {
                    next++;
                }
            } else if (sql.startsWith("/*", next) && !sql.startsWith("/*+", next)) {
                int close = sql.indexOf("*/", next + 2);
                if (close < 0) {
                    throw notClosed("comment", next);
                }
                next = close + 2;
            } else {
                return;
            }
        }
    }

    /** {@code SET key = hdfs://…} without quotes is in use: there, {@code //} is no comment. */
    private boolean followsColon() {
        return next > 0 && sql.charAt(next - 1) == ':';
    }

    /** A quote is written twice to stand for itself; a backslash escapes only where asked. */
    private int endOfQuoted(int open, boolean backslash) {
        char quote = sql.charAt(open);
        for (int i = open + 1; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (backslash && c == '\\') {
                i++;
            } else if (c == quote) {
                if (i + 1 < sql.length() && sql.charAt(i + 1) == quote) {
                    i++;
                } else {
                    return i + 1;
                }
            }
        }
        throw notClosed(quote == '`' ? "quoted name" : "text", open);
    }

    private ScriptException notClosed(String what, int at) {
        countLinesTo(at);
        return new ScriptException("line " + line + ", column " + (at - lineStart + 1) + ": " + what + " is not closed");
    }

    private void countLinesTo(int position) {
        for (; counted < position; counted++) {
            char c = sql.charAt(counted);
            boolean crlf = c == '\r' && counted + 1 < sql.length() && sql.charAt(counted + 1) == '\n';
            if (c == '\n' || (c == '\r' && !crlf)) {
                line++;
                lineStart = counted + 1;
            }
        }
    }
}
