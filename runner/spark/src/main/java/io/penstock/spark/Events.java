package io.penstock.spark;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Tells a reader of the log what became of each statement: one line {@code penstock-event {…}} per
 * change of state.
 *
 * <p>Fields: {@code index} and {@code of} (number of the statement, how many there are), {@code
 * line}, {@code end_line} (from 1), {@code kind}, {@code state} = started | finished | failed, {@code
 * millis} since started, and where known {@code rows} (written, or shown), {@code truncated}, {@code
 * results} (name of the file with the rows), {@code error}.
 */
final class Events {
    static final String PREFIX = "penstock-event ";

    private final PrintStream out;
    private final int of;
    private final List<String> ended = new ArrayList<>();

    Events(PrintStream out, int of) {
        this.out = out;
        this.of = of;
    }

    /** A statement that is being run. */
    Running start(Statement statement) {
        Running running = new Running(statement);
        write(running.json("started"));
        return running;
    }

    /** The last word on each statement so far, one JSON object a line. */
    String summary() {
        StringBuilder all = new StringBuilder();
        for (String line : ended) {
            all.append(line).append('\n');
        }
        return all.toString();
    }

    private void write(Json json) {
        out.println(PREFIX + json);
        out.flush();
    }

    final class Running {
        private final Statement statement;
        private final long since = System.nanoTime();

        private Running(Statement statement) {
            this.statement = statement;
        }

        /** {@code rows} is negative and {@code results} null when there are none. */
        void finished(long rows, boolean truncated, String results) {
            Json json = json("finished");
            if (rows >= 0) {
                json.put("rows", rows);
            }
            if (results != null) {
                json.put("truncated", truncated).put("results", results);
            }
            end(json);
        }

        void failed(String error) {
            end(json("failed").put("error", error));
        }

        private void end(Json json) {
            ended.add(json.toString());
            write(json);
        }

        private Json json(String state) {
            Json json = new Json().put("index", statement.index).put("of", of);
            json.put("line", statement.line).put("end_line", statement.endLine);
            json.put("kind", statement.kind.wireName()).put("state", state);
            if (!state.equals("started")) {
                json.put("millis", (System.nanoTime() - since) / 1_000_000);
            }
            return json;
        }
    }
}
