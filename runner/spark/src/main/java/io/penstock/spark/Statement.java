package io.penstock.spark;

/** One statement of a script and where it stands in it. */
final class Statement {
    private static final int HEADLINE = 80;

    enum Kind {
        SET,
        /** Defines or changes things of a catalog. */
        DDL,
        /** Answers rows about things: SHOW, DESCRIBE, EXPLAIN. */
        SHOW,
        /** INSERT, MERGE, UPDATE, DELETE, and CREATE or REPLACE TABLE … AS. */
        INSERT,
        /** SELECT, WITH, VALUES, FROM, TABLE. */
        QUERY,
        /** BEGIN … END of SQL scripting. */
        BLOCK;

        /** True if the rows it answers are for a person to look at. */
        boolean showsRows() {
            return this == SHOW || this == QUERY || this == BLOCK;
        }

        String wireName() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Number in the script, from 1. */
    final int index;
    final Kind kind;
    /** Text without the closing semicolon and without comments around it. */
    final String text;
    /** First line, from 1. */
    final int line;
    /** First column, from 1. */
    final int column;
    /** Last line, from 1. */
    final int endLine;

    Statement(int index, Kind kind, String text, int line, int column, int endLine) {
        this.index = index;
        this.kind = kind;
        this.text = text;
        this.line = line;
        this.column = column;
        this.endLine = endLine;
    }

    /**
     * The text moved to its place in the script by blank lines and blanks before it, so that the
     * positions in the parser's messages are those of the script.
     */
    String textInPlace() {
        StringBuilder out = new StringBuilder(text.length() + line + column);
        for (int i = 1; i < line; i++) {
            out.append('\n');
        }
        for (int i = 1; i < column; i++) {
            out.append(' ');
        }
        return out.append(text).toString();
    }

    /** First line of the text, shortened: enough to recognise the statement. */
    String headline() {
        int end = 0;
        while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\r') {
            end++;
        }
        if (end <= HEADLINE) {
            return text.substring(0, end).trim();
        }
        int cut = Character.isHighSurrogate(text.charAt(HEADLINE - 1)) ? HEADLINE - 1 : HEADLINE;
        return text.substring(0, cut).trim() + "…";
    }
}
