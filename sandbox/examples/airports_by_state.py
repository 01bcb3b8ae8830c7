"""Counts the airports of each state of the United States: <airports.csv> <result directory>."""
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

spark = SparkSession.builder.getOrCreate()
airports = spark.read.csv(sys.argv[1], header=True, inferSchema=True)
by_state = (
    airports.filter(airports.country == "USA")
    .groupBy("state")
    .agg(f.count("*").alias("airports"), f.max("latitude").alias("northernmost"))
    .orderBy("state")
)
by_state.coalesce(1).write.mode("overwrite").csv(sys.argv[2])
by_state.orderBy(f.desc("airports"), "state").show(10)
spark.stop()
