package io.penstock.testjobs;

import org.apache.flink.api.common.functions.FilterFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A job that fails: {@code <records until it fails> <message>}; ten records a second. */
public final class FailAfter {
    private FailAfter() {}

    public static void main(String[] args) throws Exception {
        long records = Long.parseLong(args[0]);
        String message = args[1];
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(1);
        env.fromSequence(1, Long.MAX_VALUE - 1).filter(new Bomb(records, message)).print();
        env.execute("fail after " + records);
    }

    private static final class Bomb implements FilterFunction<Long> {
        private static final long serialVersionUID = 1L;
        private final long records;
        private final String message;

        private Bomb(long records, String message) {
            this.records = records;
            this.message = message;
        }

        @Override
        public boolean filter(Long value) throws InterruptedException {
            if (value > records) {
                throw new IllegalStateException(message);
            }
            Thread.sleep(100);
            return false;
        }
    }
}
