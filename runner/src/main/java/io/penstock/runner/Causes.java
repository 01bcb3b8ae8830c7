package io.penstock.runner;

/** Reads chains of exceptions. */
final class Causes {
    private static final int MAX_DEPTH = 50;
    private static final int MAX_MESSAGE = 2000;

    private Causes() {}

    /** The message of the innermost cause, in which the reason stands; never empty. */
    static String root(Throwable failure) {
        Throwable root = failure;
        for (int i = 0; i < MAX_DEPTH && root.getCause() != null && root.getCause() != root; i++) {
            if (root.getClass().getName().equals("org.apache.calcite.runtime.CalciteContextException")) {
                // Says the same as its cause, and where in the text.
                break;
            }
            root = root.getCause();
        }
        String message = root.getMessage() == null || root.getMessage().trim().isEmpty()
                ? root.getClass().getName()
                : root.getMessage().trim();
        return message.length() > MAX_MESSAGE ? message.substring(0, MAX_MESSAGE) + "…" : message;
    }

    /** True if a person or the cluster cancelled the job, rather than that it failed. */
    static boolean isCancelled(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; i < MAX_DEPTH && cause != null; i++) {
            // By name: the class belongs to the runtime, which is no compile-time API.
            if (cause.getClass().getName().equals("org.apache.flink.runtime.client.JobCancellationException")) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }
}
