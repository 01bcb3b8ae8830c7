package io.penstock.spark;

/** The part of a failure that tells a person something. */
final class Reason {
    private static final int MAX_DEPTH = 50;
    private static final int MAX_LENGTH = 2000;

    private Reason() {}

    /** The message of the innermost cause that has one, without plans, stacks and copies of the script. */
    static String of(Throwable failure) {
        Throwable telling = failure;
        Throwable next = failure;
        for (int i = 0; i < MAX_DEPTH && next.getCause() != null && next.getCause() != next; i++) {
            next = next.getCause();
            String said = next.getMessage() == null ? "" : next.getMessage().trim();
            // A class DefaultSource is tried for every data source there is not.
            if (!said.isEmpty() && !said.endsWith(".DefaultSource")) {
                telling = next;
            }
        }
        String text = telling.getMessage();
        if (text == null || text.trim().isEmpty()) {
            return telling.getClass().getName();
        }
        text = shorten(text);
        // A message that is a lone word, such as a class or key, needs the kind of the failure before it.
        boolean sentence = text.indexOf(' ') > 0;
        return sentence ? text : telling.getClass().getSimpleName() + ": " + text;
    }

    static String shorten(String message) {
        String text = message;
        // A failed task brings its own stack: what counts stands behind the address of the executor.
        int task = text.indexOf(", most recent failure: ");
        if (task >= 0) {
            int host = text.indexOf("): ", task);
            text = host >= 0 ? text.substring(host + 3) : text.substring(task + 24);
        }
        for (String mark : new String[] {"\n== SQL", "\n\n== SQL", ";\n'", ";\n+-", "\n\tat ", "\n\nDriver stacktrace", ";\nProject", ";\nInsert"}) {
            int cut = text.indexOf(mark);
            if (cut > 0) {
                text = text.substring(0, cut);
            }
        }
        text = text.trim();
        return text.length() > MAX_LENGTH ? text.substring(0, MAX_LENGTH) + "…" : text;
    }
}
