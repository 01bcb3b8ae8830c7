package io.penstock.runner;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.types.Row;

/**
 * Prints rows as a table. Every line begins with {@code +} or {@code |} and control characters are
 * replaced, so that no value can look like an event line.
 */
final class ResultPrinter {
    /** More rows than this are not shown. */
    static final int MAX_ROWS = 1000;
    private static final int MAX_WIDTH = 200;

    private final PrintStream out;

    ResultPrinter(PrintStream out) {
        this.out = out;
    }

    /** Prints at most {@link #MAX_ROWS} rows and returns how many it printed. */
    int print(List<String> columns, Iterator<Row> rows) {
        List<String[]> table = new ArrayList<>();
        table.add(columns.toArray(new String[0]));
        while (table.size() <= MAX_ROWS && rows.hasNext()) {
            Row row = rows.next();
            String[] cells = new String[columns.size()];
            for (int i = 0; i < cells.length; i++) {
                cells[i] = text(row.getField(i));
            }
            table.add(cells);
        }
        int shown = table.size() - 1;
        boolean more = rows.hasNext();
        if (columns.size() == 1 && shown == 1 && table.get(1)[0].indexOf('\n') >= 0) {
            // A plan or a SHOW CREATE TABLE: lines of text, not a cell.
            for (String line : table.get(1)[0].split("\\R")) {
                out.println("| " + clean(line));
            }
        } else {
            printTable(table);
        }
        out.println(more ? "+ only the first " + shown + " rows are shown" : "+ rows: " + shown);
        return shown;
    }

    private void printTable(List<String[]> table) {
        int[] widths = new int[table.get(0).length];
        for (String[] row : table) {
            for (int i = 0; i < row.length; i++) {
                row[i] = cut(clean(row[i]));
                widths[i] = Math.max(widths[i], row[i].codePointCount(0, row[i].length()));
            }
        }
        StringBuilder rule = new StringBuilder("+");
        for (int width : widths) {
            repeat(rule, '-', width + 2).append('+');
        }
        out.println(rule);
        for (int r = 0; r < table.size(); r++) {
            StringBuilder line = new StringBuilder("|");
            for (int i = 0; i < widths.length; i++) {
                String cell = table.get(r)[i];
                line.append(' ').append(cell);
                repeat(line, ' ', widths[i] - cell.codePointCount(0, cell.length())).append(" |");
            }
            out.println(line);
            if (r == 0) {
                out.println(rule);
            }
        }
        out.println(rule);
    }

    private static StringBuilder repeat(StringBuilder out, char c, int times) {
        for (int i = 0; i < times; i++) {
            out.append(c);
        }
        return out;
    }

    private static String text(Object value) {
        if (value == null) {
            return "NULL";
        }
        if (value instanceof Object[]) {
            return Arrays.deepToString((Object[]) value);
        }
        if (value instanceof byte[]) {
            StringBuilder hex = new StringBuilder("x'");
            for (byte b : (byte[]) value) {
                hex.append(String.format("%02x", b & 0xff));
            }
            return hex.append('\'').toString();
        }
        return value.toString();
    }

    private static String clean(String text) {
        return text.replaceAll("\\p{Cntrl}|[\\u0085\\u2028\\u2029]", " ");
    }

    private static String cut(String text) {
        if (text.codePointCount(0, text.length()) <= MAX_WIDTH) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, MAX_WIDTH - 1)) + "…";
    }
}
