package io.penstock.runner;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Tells a reader of the log what became of each statement: one line {@code penstock-event {…}} per
 * change of state. The line is ASCII (other characters are escaped), so that it survives any
 * character set of the log.
 *
 * <p>Fields: {@code index} and {@code of} (number of the statement, how many there are), {@code
 * line}, {@code end_line} (from 1), {@code kind}, {@code state} = started | submitted (a streaming
 * job was handed over; its end is the application's) | finished | failed | cancelled, {@code millis}
 * since started, and where known {@code job} (id), {@code rows}, {@code error}.
 */
final class Events {
    static final String PREFIX = "penstock-event ";
    private static final int MAX_ERROR = 2000;

    private final PrintStream out;
    private final int of;

    Events(PrintStream out, int of) {
        this.out = out;
        this.of = of;
    }

    /** A statement that is being run. */
    Running start(Statement statement) {
        Running running = new Running(statement);
        running.write("started", null);
        return running;
    }

    final class Running {
        private final Statement statement;
        private final long since = System.nanoTime();
        private String job;
        private long rows = -1;
        private boolean over;

        private Running(Statement statement) {
            this.statement = statement;
        }

        void job(String id) {
            job = id;
        }

        void rows(long count) {
            rows = count;
        }

        void submitted() {
            end("submitted", null);
        }

        void finished() {
            end("finished", null);
        }

        void cancelled() {
            end("cancelled", null);
        }

        void failed(String error) {
            end("failed", error);
        }

        /** The first end counts. */
        private void end(String state, String error) {
            if (!over) {
                over = true;
                write(state, error);
            }
        }

        private void write(String state, String error) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("index", statement.index);
            fields.put("of", of);
            fields.put("line", statement.line);
            fields.put("end_line", statement.endLine);
            fields.put("kind", statement.kind.wireName());
            fields.put("state", state);
            if (!state.equals("started")) {
                fields.put("millis", (System.nanoTime() - since) / 1_000_000);
            }
            if (job != null) {
                fields.put("job", job);
            }
            if (rows >= 0) {
                fields.put("rows", rows);
            }
            if (error != null) {
                fields.put("error", error.length() > MAX_ERROR ? error.substring(0, MAX_ERROR) : error);
            }
            out.println(PREFIX + json(fields));
            out.flush();
        }
    }

    private static String json(Map<String, Object> fields) {
        StringBuilder out = new StringBuilder("{");
        for (Map.Entry<String, Object> field : fields.entrySet()) {
            if (out.length() > 1) {
                out.append(',');
            }
            out.append('"').append(field.getKey()).append("\":");
            if (field.getValue() instanceof Number) {
                out.append(field.getValue());
            } else {
                appendText(out, field.getValue().toString());
            }
        }
        return out.append('}').toString();
    }

    private static void appendText(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
