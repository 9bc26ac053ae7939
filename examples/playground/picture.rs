//! A part of the tour as a picture of a terminal, for the front page.

use std::fmt::Write as _;

/// The stanzas of the tour in the picture: sharing a secret, attaching it, and a mistake that is found.
const FIRST: usize = 1;
const COUNT: usize = 3;

/// The width of a letter of 14 pixels, in tenths of a pixel.
const COLUMN: usize = 84;
const LINE: usize = 19;
const MARGIN: usize = 16;

/// Returns the picture as SVG.
pub(crate) fn of(tour: &str) -> String {
    let stanzas: Vec<&str> = tour.split("\n\n").skip(FIRST).take(COUNT).collect();
    let text = stanzas.join("\n\n");
    let lines: Vec<&str> = text.lines().collect();
    let columns = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let width = columns * COLUMN / 10 + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"14\" fill=\"#d7dae0\" \
         xml:space=\"preserve\">\n"
    );
    for (index, line) in lines.iter().enumerate() {
        let y = MARGIN + index * LINE + 14;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\"{}>{}</text>", style(line), escaped(line));
    }
    svg + "</g>\n</svg>\n"
}

fn style(line: &str) -> &'static str {
    match line.split(' ').next().unwrap_or_default() {
        "$" => " fill=\"#ffffff\" font-weight=\"bold\"",
        "#" => " fill=\"#8b93a3\"",
        "error:" => " fill=\"#ff7b72\"",
        "note:" | "hint:" => " fill=\"#79c0ff\"",
        _ => "",
    }
}

fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
