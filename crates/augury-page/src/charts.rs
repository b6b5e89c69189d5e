//! Lines as SVG, by plotters.
//!
//! Colours are told to plotters as places in a table that is none of colours: the style sheet gives each
//! of them its colour for a light and for a dark page, and lines their dashes (`stroke="#010001"` there
//! is the first line). So one drawing serves both, without a style in it.

use std::ops::Range;

use plotters::prelude::*;

/// Width and height of a drawing, in its own units: the style sheet scales it.
const SIZE: (u32, u32) = (640, 280);
const FONT: (&str, u32) = ("sans-serif", 14);
const AXIS: RGBColor = RGBColor(2, 0, 1);
const GRID: RGBColor = RGBColor(2, 0, 2);
const TEXT: RGBColor = RGBColor(2, 0, 3);
const MARK: RGBColor = RGBColor(2, 0, 4);

/// Lines that the style sheet has colours for.
pub const LINES_MAX: usize = 4;

/// A line: points by x, of which some are not known.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it shows, for the legend.
    pub name: String,
    /// Points by x.
    pub points: Vec<(f64, Option<f64>)>,
    /// Whether each point is marked.
    pub is_dotted: bool,
}

/// A chart to be drawn.
pub struct Chart<'a> {
    /// From left to right.
    pub x: Range<f64>,
    /// From below.
    pub y: Range<f64>,
    /// What stands at the axis.
    pub x_name: &'a str,
    /// What stands at the other.
    pub y_name: &'a str,
    /// How a place of the axis is written.
    pub x_label: &'a dyn Fn(f64) -> String,
    /// How one of the other is.
    pub y_label: &'a dyn Fn(f64) -> String,
    /// Places of the axis with a label, about.
    pub x_labels: usize,
    /// A place to be marked by an upright line.
    pub mark: Option<f64>,
    /// The lines, the most important first; more than [`LINES_MAX`] are not drawn.
    pub lines: &'a [Line],
}

impl Chart<'_> {
    /// As SVG; none where it cannot be drawn.
    pub fn svg(&self) -> Option<String> {
        let mut svg = String::new();
        self.draw(&mut svg).ok()?;
        Some(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(44)
            .y_label_area_size(62)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(AXIS)
            .label_style(FONT.into_font().color(&TEXT))
            .axis_desc_style(FONT.into_font().color(&TEXT))
            .x_labels(self.x_labels)
            .y_labels(6)
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .x_label_formatter(&|&x| (self.x_label)(x))
            .y_label_formatter(&|&y| (self.y_label)(y))
            .draw()?;
        if let Some(x) = self.mark {
            let ends = [(x, self.y.start), (x, self.y.end)];
            chart.draw_series(LineSeries::new(ends, MARK))?;
        }
        // The most important is drawn last, above the others.
        for (at, line) in self.lines.iter().take(LINES_MAX).enumerate().rev() {
            let colour = RGBColor(1, 0, at as u8 + 1);
            for part in line.points.split(|(_, y)| y.is_none()).filter(|part| !part.is_empty()) {
                let known = || part.iter().filter_map(|&(x, y)| y.map(|y| (x, y)));
                chart.draw_series(LineSeries::new(known(), colour.stroke_width(2)))?;
                if line.is_dotted || part.len() == 1 {
                    chart.draw_series(known().map(|at| Circle::new(at, 3, colour.filled())))?;
                }
            }
        }
        root.present()?;
        drop(chart);
        Ok(())
    }
}

/// A range that holds all these numbers with some room, within `most`; at least a tenth of it, so that
/// noise does not look like news.
pub fn roomy(values: impl Iterator<Item = f64>, most: Range<f64>) -> Range<f64> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)));
    if low > high {
        return most;
    }
    let least = (most.end - most.start) / 10.0;
    let room = ((high - low) * 0.1).max((least - (high - low)) / 2.0);
    let step = least / 5.0;
    let (start, end) = (((low - room) / step).floor() * step, ((high + room) / step).ceil() * step);
    start.max(most.start)..end.min(most.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(lines: &[Line]) -> String {
        let chart = Chart {
            x: 0.0..10.0,
            y: 0.0..1.0,
            x_name: "time",
            y_name: "ratio",
            x_label: &|x| format!("{x} s"),
            y_label: &|y| format!("{y}"),
            x_labels: 5,
            mark: Some(3.0),
            lines,
        };
        chart.svg().expect("it can be drawn")
    }

    fn line(points: &[(f64, Option<f64>)]) -> Line {
        Line { name: "line".to_owned(), points: points.to_vec(), is_dotted: false }
    }

    #[test]
    fn lines_have_places_instead_of_colours_and_no_styles() {
        let one = line(&[(0.0, Some(0.5)), (10.0, Some(0.75))]);
        let svg = drawn(&[one.clone(), one]);
        assert!(svg.contains("#010001") && svg.contains("#010002") && svg.contains("#020003"));
        assert!(!svg.contains("style="), "{svg}");
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    }

    #[test]
    fn what_is_not_known_is_a_gap() {
        let whole = line(&[(0.0, Some(0.5)), (1.0, Some(0.5)), (2.0, Some(0.5))]);
        let parts = line(&[
            (0.0, Some(0.5)),
            (1.0, Some(0.5)),
            (2.0, None),
            (3.0, Some(0.5)),
            (4.0, Some(0.5)),
        ]);
        let count = |line: Line| drawn(&[line]).matches("#010001").count();
        assert_eq!(1 + count(whole), count(parts));
        assert_eq!(0, count(line(&[(0.0, None)])));
        assert_eq!(0, drawn(&[]).matches("#010001").count());
    }

    #[test]
    fn ranges_have_room_and_do_not_zoom_into_noise() {
        assert_eq!(0.0..1.0, roomy([].into_iter(), 0.0..1.0));
        let range = roomy([0.5, 0.501].into_iter(), 0.0..1.0);
        assert!(range.end - range.start >= 0.0999, "{range:?}");
        let range = roomy([0.0, 1.0, f64::NAN].into_iter(), 0.0..1.0);
        assert_eq!(0.0..1.0, range);
    }
}
