package io.penstock.spark.testjobs;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.max;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * {@code <airports.csv> <result directory>}: counts airports per US state and finds the latitude of the
 * northernmost of each. The result is one file of lines {@code state,count,latitude}; results of an
 * earlier run in the directory are replaced.
 */
public final class AirportsByState {
    private AirportsByState() {}

    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().getOrCreate();
        Dataset<Row> airports = spark.read().option("header", "true").option("inferSchema", "true").csv(args[0]);
        airports.filter(col("country").equalTo("USA"))
                .groupBy("state")
                .agg(count("*"), max("latitude"))
                .orderBy("state")
                .coalesce(1)
                .write()
                .mode(SaveMode.Overwrite)
                .csv(args[1]);
        spark.stop();
    }
}
