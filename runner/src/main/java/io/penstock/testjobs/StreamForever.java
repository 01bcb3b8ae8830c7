package io.penstock.testjobs;

import org.apache.flink.api.common.functions.FilterFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * An endless job that costs next to nothing: {@code [parallelism] [records per second and task]},
 * by default 1 and 10.
 */
public final class StreamForever {
    private StreamForever() {}

    public static void main(String[] args) throws Exception {
        int parallelism = args.length > 0 ? Integer.parseInt(args[0]) : 1;
        int perSecond = args.length > 1 ? Integer.parseInt(args[1]) : 10;
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(parallelism);
        env.fromSequence(0, Long.MAX_VALUE - 1).uid("numbers")
                .filter(new Slowly(1000L / Math.max(1, Math.min(1000, perSecond)))).uid("slowly")
                .print().uid("nothing");
        env.execute("stream forever");
    }

    /** Holds each record for a while, then drops it. */
    private static final class Slowly implements FilterFunction<Long> {
        private static final long serialVersionUID = 1L;
        private final long millis;

        private Slowly(long millis) {
            this.millis = millis;
        }

        @Override
        public boolean filter(Long value) throws InterruptedException {
            Thread.sleep(millis);
            return false;
        }
    }
}
