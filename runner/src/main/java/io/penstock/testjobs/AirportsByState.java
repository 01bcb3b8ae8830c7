package io.penstock.testjobs;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.functions.ReduceFunction;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.util.Collector;

/**
 * {@code <airports.csv> <result directory>}: counts airports per US state and finds the northernmost
 * of each. The input has the columns iata, name, city, state, country, latitude, longitude, with a
 * header. The result is one file {@code airports-….csv} of lines {@code state,count,iata}; results of
 * an earlier run in the directory are replaced.
 */
public final class AirportsByState {
    private static final String PREFIX = "airports";
    private static final int IATA = 0;
    private static final int STATE = 3;
    private static final int COUNTRY = 4;
    private static final int LATITUDE = 5;
    private static final int COLUMNS = 7;

    private AirportsByState() {}

    public static void main(String[] args) throws Exception {
        Path input = new Path(args[0]);
        Path result = new Path(args[1]);
        removeEarlier(result);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setRuntimeMode(RuntimeExecutionMode.BATCH);
        env.setParallelism(1);
        FileSource<String> lines = FileSource.forRecordStreamFormat(new TextLineInputFormat(), input).build();
        FileSink<String> csv = FileSink.forRowFormat(result, new SimpleStringEncoder<String>())
                .withBucketAssigner(new BasePathBucketAssigner<String>())
                .withOutputFileConfig(new OutputFileConfig(PREFIX, ".csv"))
                .build();
        env.fromSource(lines, WatermarkStrategy.noWatermarks(), "airports.csv")
                .flatMap(new Parse())
                .keyBy(new ByState())
                .reduce(new Merge())
                .map(new Format())
                .sinkTo(csv);
        env.execute("airports by state");
    }

    private static void removeEarlier(Path directory) throws Exception {
        FileSystem files = directory.getFileSystem();
        if (!files.exists(directory)) {
            return;
        }
        for (FileStatus file : files.listStatus(directory)) {
            String name = file.getPath().getName();
            if (!file.isDir() && name.startsWith(PREFIX) && name.endsWith(".csv")) {
                files.delete(file.getPath(), false);
            }
        }
    }

    /** Fields of a CSV line; a quote in a quoted field is doubled. */
    static List<String> fields(String line) {
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (quoted && c == '"' && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                field.append('"');
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }

    /** What is known of one state so far. */
    public static final class State {
        public String name;
        public long count;
        public String northernmost;
        public double latitude;
    }

    private static final class Parse implements FlatMapFunction<String, State> {
        private static final long serialVersionUID = 1L;

        @Override
        public void flatMap(String line, Collector<State> out) {
            List<String> fields = fields(line);
            if (fields.size() != COLUMNS || !fields.get(COUNTRY).equals("USA")) {
                return;
            }
            State state = new State();
            state.name = fields.get(STATE);
            state.count = 1;
            state.northernmost = fields.get(IATA);
            state.latitude = Double.parseDouble(fields.get(LATITUDE));
            out.collect(state);
        }
    }

    private static final class ByState implements KeySelector<State, String> {
        private static final long serialVersionUID = 1L;

        @Override
        public String getKey(State state) {
            return state.name;
        }
    }

    private static final class Merge implements ReduceFunction<State> {
        private static final long serialVersionUID = 1L;

        @Override
        public State reduce(State one, State other) {
            // A tie is broken by the code, so that the order of the input does not matter.
            boolean first = one.latitude > other.latitude
                    || (one.latitude == other.latitude && one.northernmost.compareTo(other.northernmost) < 0);
            State north = first ? one : other;
            State merged = new State();
            merged.name = one.name;
            merged.count = one.count + other.count;
            merged.northernmost = north.northernmost;
            merged.latitude = north.latitude;
            return merged;
        }
    }

    private static final class Format implements MapFunction<State, String> {
        private static final long serialVersionUID = 1L;

        @Override
        public String map(State state) {
            return state.name + "," + state.count + "," + state.northernmost;
        }
    }
}
