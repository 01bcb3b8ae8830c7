package io.penstock.spark;

import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerStageCompleted;

/** Counts the records the jobs of one statement write. Listeners are told late, so it waits a little. */
final class Written extends SparkListener {
    private static final long PATIENCE_NANOS = 2_000_000_000L;

    private int started;
    private int ended;
    private long records;

    @Override
    public synchronized void onJobStart(SparkListenerJobStart event) {
        started++;
    }

    @Override
    public synchronized void onStageCompleted(SparkListenerStageCompleted event) {
        records += event.stageInfo().taskMetrics().outputMetrics().recordsWritten();
    }

    @Override
    public synchronized void onJobEnd(SparkListenerJobEnd event) {
        ended++;
        notifyAll();
    }

    synchronized void reset() {
        started = 0;
        ended = 0;
        records = 0;
    }

    /** Records written since {@link #reset}, or -1 when no job was seen to do so. */
    synchronized long count() throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (started == 0 || ended < started) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return -1;
            }
            wait(left);
        }
        return records;
    }
}
